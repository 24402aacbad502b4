"""What these settings have clup manage on the machine."""

from __future__ import annotations

from collections.abc import Iterator

from clup.managed import Thing
from roles.layout.settings import Settings


def managed(settings: Settings) -> Iterator[Thing]:
    """Yield the folders, without what lies in them."""
    for path in settings.folders:
        yield Thing("folder", path)
