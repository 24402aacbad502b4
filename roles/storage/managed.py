"""What these settings have clup manage on the machine."""

from __future__ import annotations

from collections.abc import Iterator

from clup.managed import Thing
from roles.storage.settings import Settings


def managed(settings: Settings) -> Iterator[Thing]:
    """Yield the mounts. What is on their disks belongs to nobody's settings."""
    for one in settings.filesystems.values():
        yield Thing("mount", one.mount)
