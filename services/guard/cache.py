"""The cache that jobs share, kept within its limits: by the guard, as nobody else may write there.

What trusted jobs put there others run. Whoever could remove a file could put another one in its
place, so the runner, which talks to callers, sees nothing of it.

Nothing is removed while a job runs, and a job that is to be started waits for nothing: pruning ends
instead, and begins anew some time later. Jobs have made the names that are found: no link is
followed, and what is removed is a name in an open folder.

On a filesystem that is mounted noatime no read leaves a trace: what looks old there may be used
every day. Nothing goes for its age there; for the size, what was written longest ago does.
"""

from __future__ import annotations

import asyncio
import os
import stat
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.guard.say import say
from services.pruning import LEAP_SECONDS, Sieve, walk

EVERY_SECONDS = 3600.0
AGAIN_SECONDS = 60.0


class InUseError(Exception):
    """A job is to be started, and pruning ends."""


class Cache:
    """The cache's folder, or None where there is none to prune. A file goes when nobody read it for
    so many days, or when there are more bytes than `most`."""

    def __init__(self, folder: Path | None, days: int, most: int):
        self._folder = folder
        self._days = days
        self._most = most
        self._due = 0.0
        self._noted = time.time(), time.monotonic()
        self._users = 0
        self._wanted = threading.Event()
        self._pruning: asyncio.Future[tuple[int, int]] | None = None

    def mark(self) -> None:
        """Whoever uses the cache from here on keeps the next `prune` from its work."""
        if not self._users:
            self._wanted.clear()

    @asynccontextmanager
    async def used(self) -> AsyncIterator[None]:
        """Have nothing removed while a job is started."""
        self._users += 1
        self._wanted.set()
        try:
            if self._pruning is not None:
                await asyncio.wait({self._pruning})
            yield
        finally:
            self._users -= 1

    async def prune(self) -> None:
        """Remove what is superfluous, if it is time for that and nobody has used the cache since
        `mark`. Whoever calls knows that no job runs."""
        if self._folder is None or self._wanted.is_set() or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + AGAIN_SECONDS
        self._pruning = asyncio.ensure_future(asyncio.to_thread(self._prune, self._folder))
        try:
            removed, failed = await self._pruning
            if removed or failed:
                say("cache pruned", files=removed, failed=failed)
        except InUseError:
            return
        except OSError as error:
            say("cache not pruned", error=str(error))
        finally:
            # A guard that ends waits for its threads.
            self._wanted.set()
            self._pruning = None
        self._noted = time.time(), time.monotonic()
        self._due = time.monotonic() + EVERY_SECONDS

    def _prune(self, folder: Path) -> tuple[int, int]:
        """Return how many files were removed, and how many could not be."""
        reads_show = not os.statvfs(folder).f_flag & os.ST_NOATIME
        days = self._days if reads_show and self._is_clock_known() else None
        sieve = Sieve(time.time(), days, self._most)
        for _, _, found in self._files(folder):
            sieve.weigh(_used(found, reads_show), found.st_blocks * 512)
        sieve.settle()
        removed = failed = 0
        for descriptor, name, found in self._files(folder) if sieve.any_goes else ():
            if sieve.goes(_used(found, reads_show), found.st_blocks * 512):
                try:
                    os.unlink(name, dir_fd=descriptor)
                    removed += 1
                except OSError:
                    failed += 1
        return removed, failed

    def _files(self, folder: Path) -> Iterator[tuple[int, str, os.stat_result]]:
        """Yield each file that can be removed. What others hold for themselves does not count: it
        would seem to make room."""
        for descriptor, name, found in walk(folder):
            if self._wanted.is_set():
                raise InUseError
            if stat.S_ISREG(found.st_mode) and os.access(".", os.W_OK, dir_fd=descriptor):
                yield descriptor, name, found

    def _is_clock_known(self) -> bool:
        """Whether the clock went on as time did, since this began or last came to its end. One that
        did not, or is only just looked at, as after a boot, may be wrong until it is told the time:
        by an hour later it will be known."""
        wall, steady = time.time() - self._noted[0], time.monotonic() - self._noted[1]
        return steady >= EVERY_SECONDS and wall - steady <= LEAP_SECONDS


def _used(found: os.stat_result, reads_show: bool) -> float:
    """Return when a file was last of use: unless reads show, when it was written."""
    return max(found.st_atime, found.st_mtime) if reads_show else found.st_mtime
