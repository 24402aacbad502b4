"""What these settings have clup manage on the machine."""

from __future__ import annotations

from collections.abc import Iterator

from clup.managed import Thing
from roles.accounts.settings import Settings


def managed(settings: Settings) -> Iterator[Thing]:
    """Yield the accounts and groups. A home belongs to its account."""
    for name in settings.users:
        yield Thing("account", name)
    for name in settings.gids:
        yield Thing("group", name)
