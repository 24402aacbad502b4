"""What must hold between the settings of several roles."""

from __future__ import annotations

import roles.accounts.settings
import roles.engine.settings
import roles.layout.settings
import roles.storage.settings
from clup.settings import Problem, nearest


def problems(
    storage: roles.storage.settings.Settings,
    engine: roles.engine.settings.Settings,
    accounts: roles.accounts.settings.Settings,
    layout: roles.layout.settings.Settings,
) -> list[Problem]:
    """Given settings that are each valid, return what is wrong between them."""
    mounts = [filesystem.mount for filesystem in storage.filesystems.values()]
    found: list[Problem] = []
    if engine.requires_mount not in mounts:
        found.append(_no_mount("engine.requires_mount", engine.requires_mount, mounts))
    for index, root in enumerate(layout.roots):
        if root not in mounts:
            found.append(_no_mount(f"layout.roots.{index}", root, mounts))
    users = {"root", *accounts.users}
    groups = {"root", *accounts.gids}
    for path, folder in layout.folders.items():
        user, group = folder.owners
        for kind, name, known in (("user", user, users), ("group", group, groups)):
            if name not in known:
                found.append(_no_account(f"layout.folders.{path}.{kind}", name, kind, known))
    return found


def _no_mount(path: str, value: str, mounts: list[str]) -> Problem:
    cure = f"choose one of {', '.join(mounts)}" if mounts else "declare one in storage.filesystems"
    return Problem(path, repr(value), "is not a mount of storage.filesystems", cure)


def _no_account(path: str, name: str, kind: str, known: set[str]) -> Problem:
    guess = nearest(name, known)
    cure = f"did you mean {guess!r}?" if guess else f"declare it in accounts.{kind}s"
    return Problem(path, repr(name), f"is no {kind} that accounts declares", cure)
