"""What these settings have clup manage on the machine, besides the stacks themselves."""

from __future__ import annotations

from collections.abc import Iterator

from clup.managed import Thing
from roles.stacks.settings import Settings


def managed(_settings: Settings) -> Iterator[Thing]:
    """Yield nothing: the desired-state folder belongs to every site."""
    yield from ()
