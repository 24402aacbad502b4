"""Whether the files of a folder are those that were read."""

from __future__ import annotations

import os
from pathlib import Path


def signature(folder: Path) -> tuple[object, ...]:
    """Return what changes when a file of the folder does."""
    try:
        with os.scandir(folder) as entries:
            found = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    except OSError as error:
        return (error.errno,)
    return tuple(
        sorted((name, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for name, s in found)
    )
