"""Whether there is room for one more job: its line here, its log, and what is written of its end.

What was accepted is never forgotten, and nothing removes it: a disk that callers could fill to its
last block would leave jobs whose end cannot be written down.
"""

from __future__ import annotations

import os
from pathlib import Path

MB = 2**20
_LEAST_MB = 64
_LEAST_PERCENT = 5


def least(size: int) -> int:
    """Given the bytes of a filesystem, return how many of them are to stay free: few of one that is
    small, or it could never be used."""
    return min(_LEAST_MB * MB, size * _LEAST_PERCENT // 100)


def lack(folder: Path) -> str:
    """Return what is wrong when the filesystem of a folder is too full for one more job, else
    nothing. Raise OSError."""
    found = os.statvfs(folder)
    # What is kept for root is not free for the runner.
    free, wanted = found.f_bavail * found.f_frsize, least(found.f_blocks * found.f_frsize)
    if free >= wanted:
        return ""
    return f"{folder}: {free / MB:.1f} MB are free, and jobs are accepted from {wanted / MB:.1f} on"
