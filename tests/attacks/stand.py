"""The stand of the attacks: a lab machine with Docker, the guard, a bot and canaries."""

from __future__ import annotations

import io
import json
import shlex
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from clup import images, lab
from tests.lab import engine_machine
from tests.lab.command import on_machine, over_ssh
from tests.lab.runner_machine import loaded

BEFORE_THE_GUARD = ("hostile_runner", "local_account", "other_container", "job")
BEFORE_THE_RUNNER = ("token_holder", "repository_writer")
POSITIONS = (*BEFORE_THE_GUARD, *BEFORE_THE_RUNNER)
HERE = Path(__file__).parent
SOUND = "-m services.guard"
SOUND_RUNNER = "-m services.runner"


def cases(position: str) -> list[dict[str, Any]]:
    """Return the attacks of a position, by the name of their file."""
    said = yaml.safe_load((HERE / f"cases/{position}.yaml").read_text(encoding="utf-8"))
    return [{**case, "position": said["position"]} for case in said["cases"]]


def every_case(positions: Sequence[str] = POSITIONS) -> list[dict[str, Any]]:
    """Return the attacks of positions."""
    return [case for position in positions for case in cases(position)]


@contextmanager
def machine(name: str, *services: str) -> Iterator[lab.Lab]:
    """Lend a new lab machine with Docker, the images of services, and what plays the attacks."""
    with engine_machine.machine(name) as box:
        applied = engine_machine.run(box, "apply", {})
        assert applied.exit == 0, applied.stderr
        furnish(box, services)
        yield box


def furnish(box: lab.Lab, services: Sequence[str]) -> None:
    """Bring the images of services and the attacks to a lab machine that has Docker."""
    loaded(box, *services)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(
            HERE,
            "attacks/tests/attacks",
            filter=lambda entry: None if "cache" in entry.name else entry,
        )
    _ssh(box, "tar -C /root --no-same-owner -x", data=buffer.getvalue())


def guard(box: lab.Lab, program: str = SOUND) -> None:
    """Start the guard afresh on the stand, or a program that is a weaker one."""
    said = {"GUARD_IMAGE": images.ensure("guard", print), "GUARD_PROGRAM": program}
    _script(box, "stand.sh", said)


def runner(box: lab.Lab, program: str = SOUND_RUNNER) -> None:
    """Start the runner afresh before the guard that is there, or a program that is a weaker one."""
    said = {
        "RUNNER_IMAGE": images.ensure("runner", print),
        "RUNNER_PROGRAM": program,
        "TOOLBOX_IMAGE": images.ensure("toolbox", print),
    }
    _script(box, "runner.sh", said)


def _script(box: lab.Lab, name: str, said: dict[str, str]) -> None:
    words = "".join(f"{name}={shlex.quote(value)}\n" for name, value in said.items())
    on_machine(box, words + (HERE / name).read_text(encoding="utf-8"))


def played(box: lab.Lab, attacks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Play attacks on the machine and return what each achieved, by its name."""
    done = _ssh(
        box,
        "cd /root/attacks && python3 -m tests.attacks.inside",
        data=json.dumps(attacks).encode(),
    )
    return {result["name"]: result for result in json.loads(done)}


def _ssh(box: lab.Lab, command: str, data: bytes) -> bytes:
    argv = over_ssh(box, ["sudo", "sh", "-c", shlex.quote(command)])
    done = subprocess.run(
        argv,
        input=data,
        capture_output=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
    return bytes(done.stdout)
