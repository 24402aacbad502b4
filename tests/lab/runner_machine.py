"""Guard and runner on a lab machine, before its real Docker, and what is asked of them there."""

from __future__ import annotations

import json
import shlex
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clup import images, lab
from clup.lab.docker import docker_argv
from tests.lab import engine_machine
from tests.lab.command import on_machine, over_ssh

HERE = Path(__file__).parent
STAND = "/srv/stand"
HEALTH = "http://127.0.0.1:18888/healthz"
CLIENT = (HERE / "runner_client.py").read_text(encoding="utf-8")


@contextmanager
def machine(name: str, before: str = "") -> Iterator[lab.Lab]:
    """Given a name, lend a new lab machine of that name with guard, runner and jobs for them; a
    script runs there before they are put in place."""
    with engine_machine.machine(name) as box:
        applied = engine_machine.run(box, "apply", {})
        assert applied.exit == 0, applied.stderr
        on_machine(box, before)
        put_in_place(box)
        yield box


def put_in_place(box: lab.Lab) -> None:
    """Given a lab machine with Docker, put guard, runner and jobs for them there."""
    names = loaded(box, "guard", "runner")
    said = "".join(f"{each.upper()}_IMAGE={shlex.quote(name)}\n" for each, name in names.items())
    on_machine(box, said + (HERE / "runner_stand.sh").read_text(encoding="utf-8"))


def loaded(box: lab.Lab, *services: str) -> dict[str, str]:
    """Bring the images of services to a lab machine, and return their names."""
    names = {service: images.ensure(service, print) for service in services}
    save = docker_argv("save", *names.values())
    if box.kind == "vm":
        _load_from_disk(box, save)
        return names
    with subprocess.Popen(save, stdout=subprocess.PIPE) as saved:
        argv = lab.ssh_argv(box, ["sudo", "docker", "load"])
        subprocess.run(argv, stdin=saved.stdout, capture_output=True, check=True, timeout=600)
    return names


def _load_from_disk(box: lab.Lab, save: list[str]) -> None:
    """Have a virtual machine load what a command saves: emulated, it takes 50 s to do so from a
    disk, and 75 through ssh."""
    disk = lab.disk_add(box.name, "virtio-IMAGES", 512 << 20).disk_file("virtio-IMAGES")
    with disk.open("r+b") as content:
        subprocess.run(save, stdout=content, check=True, timeout=600)
    on_machine(box, "docker load -q </dev/disk/by-id/virtio-IMAGES")
    lab.disk_detach(box.name, "virtio-IMAGES")


def asked(box: lab.Lab, *requests: tuple[str, str, Any], caller: str = "operator") -> list[Any]:
    """Ask the runner with method, path and body; return the bodies of its answers."""
    given = json.dumps([[caller, *request] for request in requests])
    argv = ["sudo", "docker", "exec", "-i", "dkr-claw-runner", "python3", "-c"]
    done = subprocess.run(
        over_ssh(box, [*argv, shlex.quote(CLIENT)]),
        input=given, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [body for _, body in json.loads(done.stdout)]


def begun(box: lab.Lab, *jobs: str, **parameters: str) -> list[str]:
    """Have jobs queued, all with these parameters, and return their ids."""
    return queued(box, *({"job": job, "parameters": parameters} for job in jobs))


def queued(box: lab.Lab, *bodies: dict[str, Any]) -> list[str]:
    """Have the jobs of these requests queued and return their ids."""
    answers = asked(box, *(("POST", "/v1/jobs/run", body) for body in bodies))
    assert all("id" in said for said in answers), answers
    return [said["id"] for said in answers]


def ended(box: lab.Lab, *ids: str) -> list[dict[str, Any]]:
    """Return jobs when they have ended."""
    for _ in range(3):
        jobs: list[dict[str, Any]] = asked(
            box, *(("GET", f"/v1/jobs/{job}?wait=60", None) for job in ids)
        )
        if all(job["finished"] for job in jobs):
            break
    return jobs


def is_running(box: lab.Lab, job: str) -> bool:
    """Whether a job's container runs."""
    return job in on_machine(box, "docker ps --format '{{.Names}}'")


def until_running(box: lab.Lab, job: str) -> None:
    """Return when a job's container runs."""
    until = time.monotonic() + 60
    while not is_running(box, job):
        assert time.monotonic() < until
        time.sleep(0.2)


def healthz(box: lab.Lab) -> dict[str, Any]:
    """Return what the runner says of its health, `ok` False with curl's words when it is silent."""
    said = on_machine(box, f"curl -sS --max-time 10 {HEALTH} 2>&1 || true")
    return dict(json.loads(said)) if said.startswith("{") else {"ok": False, "reason": said}


def wait_for_health(box: lab.Lab, seconds: float = 120) -> None:
    """Return when the runner says that it is well, within so many seconds.

    The machine asks itself: to be asked each time takes an emulated one what it gets well with.
    """
    asks = f"until curl -sf -o /dev/null --max-time 10 {HEALTH}; do sleep 0.5; done"
    on_machine(box, f"timeout {seconds:.0f} sh -c '{asks}' || true")
    said = healthz(box)
    assert said["ok"], f"not well within {seconds:.0f} s: {said}"
