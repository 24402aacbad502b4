"""What must hold between the settings of several roles."""

from __future__ import annotations

from pathlib import PurePosixPath

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
        found.append(
            _no_mount("engine.requires_mount", engine.requires_mount, "is not", mounts)
        )
    for path in layout.folders:
        if not any(is_below(path, mount) for mount in mounts):
            found.append(_no_mount(f"layout.folders.{path}", path, "does not lie below", mounts))
    users = {"root", *accounts.users}
    groups = {"root", *accounts.groups, *accounts.users}
    for path, folder in layout.folders.items():
        for kind, name, known in (("user", folder.user, users), ("group", folder.group, groups)):
            if name not in known:
                found.append(_no_account(f"layout.folders.{path}.{kind}", name, kind, known))
    return found


def is_below(path: str, folder: str) -> bool:
    """Whether a path is the folder or lies in it; both absolute and without `..`."""
    return PurePosixPath(path).is_relative_to(folder)


def _no_mount(path: str, value: str, how: str, mounts: list[str]) -> Problem:
    cure = f"choose one of {', '.join(mounts)}" if mounts else "declare one in storage.filesystems"
    return Problem(path, repr(value), f"{how} a mount of storage.filesystems", cure)


def _no_account(path: str, name: str, kind: str, known: set[str]) -> Problem:
    guess = nearest(name, known)
    cure = f"did you mean {guess!r}?" if guess else f"declare it in accounts.{kind}s"
    return Problem(path, repr(name), f"is no {kind} that accounts declares", cure)
