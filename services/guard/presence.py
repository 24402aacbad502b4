"""Whether Docker was there all the time while a container ran.

One that went away and came back does not say so of its containers, and invents the exit code of one
whose end it missed. Nor need anybody notice: while it is gone systemd keeps its socket open, and a
request waits there for the next Docker. So a request for events is always under way, of which none
comes: it breaks off with the Docker that it was sent to.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from services.guard.docker import Docker, DockerError, DockerGoneError

AGAIN_SECONDS = 0.2
_NOTHING = {"filters": json.dumps({"type": ["daemon"], "event": ["none"]})}


class Presence:
    """Notes which Docker was there when a container was started, and whether that is the one that
    is there now."""

    def __init__(self, docker: Docker):
        self._docker = docker
        self._here: object | None = None
        """What stands for the Docker that is there, None while that is not known."""
        self._started: dict[str, object] = {}

    async def run(self) -> None:
        """Look for Docker whenever it has gone."""
        while True:
            with suppress(DockerError, DockerGoneError):
                async with self._docker.stream("GET", "/events", _NOTHING) as answer:
                    self._here = object()
                    await answer.read()
            self._here = None
            await asyncio.sleep(AGAIN_SECONDS)

    def note(self, full_id: str) -> None:
        """Note that a container is to be started now."""
        if self._here is not None:
            self._started[full_id] = self._here

    def forget(self, full_id: str) -> None:
        """Note that a container is no more."""
        self._started.pop(full_id, None)

    def has_lasted(self, full_id: str) -> bool:
        """Whether Docker is known to have been there since a container was to be started."""
        return self._here is not None and self._started.get(full_id) is self._here
