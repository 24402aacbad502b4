"""Who waits for a job's next change: of its state, or of its output."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Watch:
    """What a reader holds while it waits. Nothing is missed between two looks."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Say that there was a change."""
        self._event.set()

    async def changed(self, seconds: float) -> bool:
        """Return True when there was a change since the last call, False after so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return False
        self._event.clear()
        return True


class Changes:
    """Tells the watches of a job of its changes."""

    def __init__(self) -> None:
        self._watches: dict[str, set[Watch]] = {}

    @contextmanager
    def watching(self, job_id: str) -> Iterator[Watch]:
        """Give a watch of a job."""
        watch = Watch()
        watches = self._watches.setdefault(job_id, set())
        watches.add(watch)
        try:
            yield watch
        finally:
            watches.discard(watch)
            if not watches:
                self._watches.pop(job_id, None)

    def tell(self, job_id: str) -> None:
        """Ring all watches of a job."""
        for watch in self._watches.get(job_id, ()):
            watch.ring()
