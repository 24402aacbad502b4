"""Converge the tree of folders. Each declared one alone: what lies in it is never touched."""

from __future__ import annotations

from clup.operations import files
from roles.layout.settings import Settings


def converge(settings: Settings) -> None:
    """Call the role's operations, within a deploy."""
    among = tuple(settings.folders)
    for path, folder in settings.ordered():
        user, group = folder.owners
        files.directory(
            name=f"Make {path}",
            path=path,
            user=user,
            group=group,
            mode=folder.mode,
            among=among,
            mount=settings.root_of(path),
        )
