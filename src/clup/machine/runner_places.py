"""Where the job runner of this machine keeps what, and where it answers: as its containers say.

What `docker inspect` tells of a container holds also while it is stopped, and whoever deployed it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from clup.machine.process import RefusedError, run

RUNNER = "dkr-claw-runner"
GUARD = "dkr-claw-socket-proxy"
CALLER = "operator"
"""The caller as whom clup asks: its token stays on this machine."""

_PORT = "8080"
_DATA = "/runner-data"
_SECONDS = 30


@dataclass(frozen=True)
class Door:
    """Where the runner answers on this machine's loopback, and the file with the token for it."""

    port: int
    token: Path
    address: str = "127.0.0.1"


@dataclass(frozen=True)
class Records:
    """Where the exported audit chain lies, and the guard's own file of its heads."""

    chain: Path
    ledger: Path


def door() -> Door:
    """Return where the runner of this machine answers. Raise RefusedError."""
    container = inspected(RUNNER)
    return Door(published(container), on_host(container, f"{_data(container)}/tokens/{CALLER}"))


def records() -> Records:
    """Return where the audit records of this machine lie. Raise RefusedError."""
    runner, guard = inspected(RUNNER), inspected(GUARD)
    ledger = variables(guard).get("GUARD_LEDGER")
    if ledger is None:
        raise RefusedError(f"{GUARD} says no GUARD_LEDGER; is it clup's guard? See `clup verify`")
    return Records(on_host(runner, f"{_data(runner)}/audit"), on_host(guard, ledger))


def inspected(name: str) -> Mapping[str, Any]:
    """Return what Docker tells of a container. Raise RefusedError when there is none."""
    done = run("docker", "container", "inspect", name, seconds=_SECONDS)
    if done.returncode != 0:
        said = (done.stderr.strip() or "Docker says nothing").splitlines()[-1]
        raise RefusedError(f"{name}: {said}; `clup apply` brings it up, where the settings have it")
    found: Mapping[str, Any] = json.loads(done.stdout)[0]
    return found


def published(container: Mapping[str, Any]) -> int:
    """Given a container, return the port of 127.0.0.1 on which it is published. Raise RefusedError.

    A port that is open to others is not spoken to: the token would cross a network in the clear.
    """
    inside = variables(container).get("RUNNER_PORT", _PORT)
    bindings = (container["HostConfig"].get("PortBindings") or {}).get(f"{inside}/tcp") or []
    for binding in bindings:
        if binding.get("HostIp") == "127.0.0.1" and binding.get("HostPort", "").isdecimal():
            return int(binding["HostPort"])
    raise RefusedError(
        f"{RUNNER}: its port {inside} is not published on 127.0.0.1; see `clup verify`"
    )


def on_host(container: Mapping[str, Any], path: str) -> Path:
    """Given a container and a path in it, return that path on this machine. Raise RefusedError."""
    inside = PurePosixPath(path)
    mounts = {PurePosixPath(each["Destination"]): each["Source"] for each in container["Mounts"]}
    for folder in (inside, *inside.parents):
        if mounts.get(folder):
            return Path(mounts[folder]) / inside.relative_to(folder)
    raise RefusedError(f"{container['Name'].lstrip('/')}: {path} lies in no mount; see its stack")


def variables(container: Mapping[str, Any]) -> dict[str, str]:
    """Return a container's environment."""
    return dict(each.partition("=")[::2] for each in container["Config"].get("Env") or [])


def _data(container: Mapping[str, Any]) -> str:
    return variables(container).get("RUNNER_DATA_DIR", _DATA)
