"""What these settings have clup manage on the machine."""

from __future__ import annotations

from collections.abc import Iterator

from clup.managed import Thing
from clup.operations.sshd import DROPIN
from roles.base import config
from roles.base.settings import Settings


def managed(settings: Settings) -> Iterator[Thing]:
    """Yield the files that every machine has of this role, and the packages asked for by name."""
    for path in (config.APT, config.journald(settings.journal).path, config.SYSCTL, DROPIN):
        yield Thing("file", path)
    for package in settings.packages:
        yield Thing("package", package)
