"""Calls of the Docker client on the operator's machine."""

import os
from pathlib import Path
from typing import IO

from clup.lab.commands import as_root, run, succeeds

SOCKET = Path("/var/run/docker.sock")
CURE = "`docker version` and `docker ps --all` tell what Docker thinks of it"


def docker_argv(*words: str) -> list[str]:
    """Given the words of a docker command, return its argv, through sudo if the socket is root's.

    Where DOCKER_HOST points elsewhere, that is the user's decision and no socket is looked at.
    """
    plain = ["docker", *words]
    reachable = "DOCKER_HOST" in os.environ or not SOCKET.exists() or os.access(SOCKET, os.W_OK)
    return plain if reachable else as_root(plain)


def docker(
    *words: str,
    stdin: bytes | None = None,
    into: IO[bytes] | None = None,
    seconds: float = 60,
    cure: str = CURE,
) -> str:
    """Given the words of a docker command, run it and return its stdout, unless that goes into a
    file. Raise LabError."""
    return run(docker_argv(*words), stdin=stdin, into=into, seconds=seconds, cure=cure)


def answers() -> bool:
    """Return whether a Docker daemon answers the client."""
    return succeeds(docker_argv("version", "--format", "{{.Server.Version}}"))
