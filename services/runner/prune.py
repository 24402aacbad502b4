"""The reports of jobs that are removed because they are old, or because there is too much.

Callers fill the disk with them, as fast as their jobs end. So the size of all is known at any time:
what a job has left is added when it has ended, and what is too much goes before another begins. All
of them are looked at only then, and once an hour.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from services.jobs import names
from services.pruning import LEAP_SECONDS, MB, Sieve, walk
from services.runner.settings import Settings

log = logging.getLogger(__name__)

ALL_SECONDS = 3600.0
ENTRY = 16_384
"""What a file or a folder counts beside its content: ext4 has one for so many bytes, and empty ones
use them up too."""


class Pruner:
    """Keeps the reports within their limits, and within half of the disk that they lie on."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._size = 0
        self._all_at = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time to look at all reports."""
        return time.monotonic() >= self._all_at

    def prune(self, ended: Collection[str], running: Collection[str]) -> None:
        """Given the jobs that have ended since the last call and those that run, remove what is
        superfluous; reports of running jobs stay. Raise OSError for a folder that cannot be
        read."""
        if self.is_due:
            self._all_at = time.monotonic() + ALL_SECONDS
            has_leapt = _leapt(self._settings.last_prune, time.time())
            if has_leapt:
                log.warning("the clock is days ahead of the last look: nothing is removed as old")
            self._look(running, None if has_leapt else self._settings.reports_days)
            return
        self._size += sum(_size(self._settings.reports / job_id) for job_id in ended)
        if self._size > self._most():
            self._look(running, None)

    def _most(self) -> int:
        found = os.statvfs(self._settings.reports)
        return min(self._settings.reports_mb * MB, found.f_blocks * found.f_frsize // 2)

    def _look(self, running: Collection[str], days: int | None) -> None:
        """Look at all reports, remove what is superfluous, and note the size of what stays."""
        sieve = Sieve(time.time(), days, self._most())
        for _, used, size in self._reports(running):
            sieve.weigh(used, size)
        sieve.settle()
        for name, used, size in self._reports(running) if sieve.any_goes else ():
            if sieve.goes(used, size):
                log.info("report %s: is removed: %d bytes", name, size)
                shutil.rmtree(self._settings.reports / name, ignore_errors=True)
        self._size = sieve.size

    def _reports(self, running: Collection[str]) -> Iterator[tuple[str, float, int]]:
        """Yield the name of each report, when it was written (seconds since 1970), its bytes."""
        with os.scandir(self._settings.reports) as there:
            for each in there:
                if names.is_id(each.name) and each.name not in running:
                    written = each.stat(follow_symlinks=False).st_mtime
                    yield each.name, written, _size(Path(each.path))


def _size(report: Path) -> int:
    """Return what a report takes of the disk; nothing where there is none."""
    try:
        return ENTRY + sum(ENTRY + found.st_blocks * 512 for _, _, found in walk(report))
    except FileNotFoundError:
        return 0


def _leapt(last: Path, now: float) -> bool:
    """Whether much time seems to have passed since the last call, and note this one.

    Either the machine was off, or its clock is wrong until somebody tells it the time, as after a
    boot: by the next call it will be known.
    """
    try:
        passed = now - last.stat().st_mtime
    except FileNotFoundError:
        passed = 0
        last.touch(mode=0o600)
    os.utime(last, (now, now))
    return passed > LEAP_SECONDS
