"""What is removed because it is old, or because there is too much: reports, and the jobs' cache.

Jobs write the cache: a name in it may be a link, or become one while this looks. So it is walked by
open folders, no link is followed, and what is removed is a name in an open folder.

On a filesystem that is mounted noatime no read leaves a trace: what looks old there may be used
every day. Nothing of a cache there is removed for its age; for the size, what was written longest
ago is.
"""

from __future__ import annotations

import logging
import math
import os
import shutil
import stat
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.jobs import names
from services.runner.settings import Settings

log = logging.getLogger(__name__)

MB = 2**20
_DAY = 86_400
LEAP_DAYS = 2


@dataclass(frozen=True)
class Kept:
    """Something that may be removed: its name, its bytes, and when it was last of use (seconds
    since 1970)."""

    name: str
    size: int
    used: float


def superfluous(kept: Sequence[Kept], now: float, days: int | None, most: int) -> list[Kept]:
    """Given what there is, the time, and how old (None for as old as it likes) and how large all of
    it may be, return what goes: the old, and then the longest unused until the rest has at most so
    many bytes.

    What seems to be from the future (a clock that jumped) is not old.
    """
    oldest = -math.inf if days is None else now - days * _DAY
    old = [each for each in kept if each.used < oldest]
    rest = sorted((each for each in kept if each.used >= oldest), key=lambda each: each.used)
    size = sum(each.size for each in rest)
    for each in rest:
        if size <= most:
            break
        old.append(each)
        size -= each.size
    return old


def prune(settings: Settings, running: Collection[str]) -> None:
    """Remove what is superfluous. Reports of running jobs stay, and the cache is left alone while
    any job runs. Raise OSError for a folder that cannot be read."""
    now = time.time()
    if _leapt(settings.last_prune, now):
        log.warning("the clock is days ahead of the last look for what is old: removing nothing")
        return
    reports = [each for each in _reports(settings.reports) if each.name not in running]
    for each in superfluous(reports, now, settings.reports_days, settings.reports_mb * MB):
        log.info("report %s: is removed: %d bytes", each.name, each.size)
        shutil.rmtree(settings.reports / each.name, ignore_errors=True)
    if running or not settings.shared_cache.is_dir():
        return
    reads_show = _reads_show(settings.shared_cache)
    cached = [each for each, _ in _walk(settings.shared_cache, reads_show)]
    days = settings.cache_days if reads_show else None
    gone = superfluous(cached, now, days, settings.cache_mb * MB)
    removed = _remove(settings.shared_cache, {each.name for each in gone})
    if removed:
        log.info("cache: %d old files are removed", removed)


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
    return passed > LEAP_DAYS * _DAY


def _reads_show(root: Path) -> bool:
    """Whether a file below a folder tells when it was last read."""
    return not os.statvfs(root).f_flag & os.ST_NOATIME


def _reports(root: Path) -> Iterator[Kept]:
    for folder in root.iterdir():
        if names.is_id(folder.name):
            size = sum(each.size for each, _ in _walk(folder))
            yield Kept(folder.name, size, folder.stat().st_mtime)


def _walk(root: Path, reads_show: bool = True) -> Iterator[tuple[Kept, int]]:
    """Yield each regular file below a folder, with its folder's descriptor while it is open. Unless
    reads show, it was last of use when it was written."""
    for folder, _, files, descriptor in os.fwalk(root):
        for name in files:
            try:
                found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(found.st_mode):
                path = os.path.join(folder, name)  # noqa: PTH118  a name as it is, bytes and all
                used = max(found.st_atime, found.st_mtime) if reads_show else found.st_mtime
                yield Kept(path, found.st_blocks * 512, used), descriptor


def _remove(root: Path, paths: Collection[str]) -> int:
    removed = 0
    for each, descriptor in _walk(root):
        if each.name in paths:
            try:
                os.unlink(os.path.basename(each.name), dir_fd=descriptor)  # noqa: PTH119
                removed += 1
            except OSError as error:
                log.warning("cache: %r cannot be removed: %s", each.name, error.strerror)
    return removed
