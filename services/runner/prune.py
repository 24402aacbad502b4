"""The reports of jobs that are removed because they are old, or because there is too much."""

from __future__ import annotations

import logging
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from services.jobs import names
from services.pruning import LEAP_SECONDS, MB, Sieve, walk
from services.runner.settings import Settings

log = logging.getLogger(__name__)


def prune(settings: Settings, running: Collection[str]) -> None:
    """Remove what is superfluous; reports of running jobs stay. Raise OSError for a folder that
    cannot be read."""
    now = time.time()
    if _leapt(settings.last_prune, now):
        log.warning("the clock is days ahead of the last look for what is old: removing nothing")
        return
    sieve = Sieve(now, settings.reports_days, settings.reports_mb * MB)
    for _, used, size in _reports(settings.reports, running):
        sieve.weigh(used, size)
    sieve.settle()
    for name, used, size in _reports(settings.reports, running) if sieve.any_goes else ():
        if sieve.goes(used, size):
            log.info("report %s: is removed: %d bytes", name, size)
            shutil.rmtree(settings.reports / name, ignore_errors=True)


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


def _reports(root: Path, running: Collection[str]) -> Iterator[tuple[str, float, int]]:
    """Yield the name of each report, when it was last of use (seconds since 1970), its bytes."""
    with os.scandir(root) as there:
        for each in there:
            if names.is_id(each.name) and each.name not in running:
                files = (found for _, _, found in walk(root / each.name))
                size = sum(each.st_blocks * 512 for each in files if stat.S_ISREG(each.st_mode))
                yield each.name, each.stat(follow_symlinks=False).st_mtime, size
