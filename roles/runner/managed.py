"""What these settings have clup manage on the machine, besides the stack itself."""

from __future__ import annotations

from collections.abc import Iterator

from clup.managed import Thing
from roles.runner.files import cache_file, made, rights, socket_file
from roles.runner.jobs import read
from roles.runner.settings import Settings


def managed(settings: Settings) -> Iterator[Thing]:
    """Yield the files: a job or a token that left the settings works until it is removed."""
    if not settings.enabled:
        return
    for file in (socket_file(), cache_file()):
        yield Thing("file", file.path)
    for each in made(settings):
        yield Thing("file", each.path)
    for name, caller in settings.callers.items():
        yield Thing("file", rights(name, caller).path)
    for file in read(settings)[1]:
        yield Thing("file", file.path)
