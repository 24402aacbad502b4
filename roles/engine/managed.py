"""What these settings have clup manage on the machine."""

from __future__ import annotations

from collections.abc import Iterator

from clup.managed import Thing
from roles.engine.files import drop_ins, repository_files
from roles.engine.neighbours import closes, rule_files
from roles.engine.settings import Settings


def managed(settings: Settings) -> Iterator[Thing]:
    """Yield the files that are clup's own, and Docker's packages where their source is chosen.

    daemon.json and config.toml are edited, not owned.
    """
    for file in (*drop_ins(settings), *(rule_files() if closes(settings) else ())):
        yield Thing("file", file.path)
    if settings.repository is not None:
        for file in repository_files(settings.repository):
            yield Thing("file", file.path)
        for name in settings.repository.versions:
            yield Thing("package", name)
