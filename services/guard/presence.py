"""Whether Docker was there all the time while a container ran.

One that went away and came back does not say so of its containers, and invents the exit code of one
whose end it missed. Nor need anybody notice: while it is gone systemd keeps its socket open, and a
request waits there for the next Docker. So one connection is always kept: it ends with the Docker
that answered on it. No request is under way on it, for which Docker would wait when it is stopped.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from services.guard.docker import Docker, DockerGoneError

AGAIN_SECONDS = 0.2


class Presence:
    """Knows which containers were started by the Docker that is there now."""

    def __init__(self, docker: Docker):
        self._docker = docker
        self._is_here = False
        self._started: set[str] = set()

    async def run(self) -> None:
        """Look for Docker whenever it has gone."""
        while True:
            with suppress(DockerGoneError):
                async with self._docker.connected() as reader:
                    self._is_here = True
                    await reader.read()
            self._is_here = False
            self._started.clear()
            await asyncio.sleep(AGAIN_SECONDS)

    def note(self, full_id: str) -> None:
        """Note that a container is to be started now."""
        if self._is_here:
            self._started.add(full_id)

    def forget(self, full_id: str) -> None:
        """Note that a container is no more."""
        self._started.discard(full_id)

    def has_lasted(self, full_id: str) -> bool:
        """Whether Docker is known to have been there since a container was to be started."""
        return full_id in self._started
