"""What is on the disk, and not only on its way there, when the power is cut."""

from __future__ import annotations

import os
from pathlib import Path


def sync_folder(path: Path) -> None:
    """Have the names in a folder on the disk. Raise OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(root: Path) -> None:
    """Have the names in a folder and in all below it on the disk. Raise OSError."""
    for folder, _, _ in os.walk(root):
        sync_folder(Path(folder))
