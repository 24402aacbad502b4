"""What must hold between the settings of several roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import roles.accounts.settings
import roles.engine.settings
import roles.layout.settings
import roles.runner.settings
import roles.storage.settings
from clup.settings import Problem, nearest


def problems(parts: Mapping[str, Any]) -> list[Problem]:
    """Given the settings of those roles that are valid, by name, return what is wrong between them.

    What needs a role that is not there is not judged.
    """
    storage: roles.storage.settings.Settings | None = parts.get("storage")
    engine: roles.engine.settings.Settings | None = parts.get("engine")
    accounts: roles.accounts.settings.Settings | None = parts.get("accounts")
    layout: roles.layout.settings.Settings | None = parts.get("layout")
    runner: roles.runner.settings.Settings | None = parts.get("runner")
    found: list[Problem] = []
    if storage and engine:
        found += _mounted(storage, {"engine.requires_mount": engine.requires_mount})
    if storage and layout:
        roots = {f"layout.roots.{index}": root for index, root in enumerate(layout.roots)}
        found += _mounted(storage, roots)
    if accounts and layout:
        found += _owned(accounts, layout)
    if accounts and runner and runner.enabled:
        found += _numbered(accounts, runner)
    if layout and runner and runner.enabled:
        found += _trusted(layout)
    return found


def _mounted(storage: roles.storage.settings.Settings, paths: dict[str, str]) -> list[Problem]:
    mounts = [filesystem.mount for filesystem in storage.filesystems.values()]
    return [
        _no_mount(setting, path, mounts) for setting, path in paths.items() if path not in mounts
    ]


def _owned(
    accounts: roles.accounts.settings.Settings, layout: roles.layout.settings.Settings
) -> list[Problem]:
    known = {"user": {"root", *accounts.users}, "group": {"root", *accounts.gids}}
    return [
        _no_account(f"layout.folders.{path}.{kind}", name, kind, known[kind])
        for path, folder in layout.folders.items()
        for kind, name in zip(("user", "group"), folder.owners, strict=True)
        if name not in known[kind]
    ]


def _numbered(
    accounts: roles.accounts.settings.Settings, runner: roles.runner.settings.Settings
) -> Iterator[Problem]:
    """Yield each id of the runner's that is not the one of its account, or of its group."""
    for account, (name, number) in runner.ids.by_account.items():
        path = f"runner.ids.{name}"
        if account not in accounts.users:
            cure = f"declare it in accounts.users, with the id {number}"
            yield Problem(path, repr(number), f"is for {account}, which accounts lacks", cure)
            continue
        user = accounts.users[account]
        if user.uid != number:
            reason = f"is not the id of accounts.users.{account}, {user.uid}"
            yield Problem(path, repr(number), reason, f"write {user.uid}")
        elif (gid := accounts.gids[user.group or account]) != number:
            reason = f"is not the id of the group of {account}, {gid}"
            cure = "give the account a group of its own with that id"
            yield Problem(path, repr(number), reason, cure)


def _trusted(layout: roles.layout.settings.Settings) -> Iterator[Problem]:
    """Yield each folder of the runner's that is not there, or in which others could exchange what
    is trusted."""
    for path, owner in roles.runner.settings.OWNERS.items():
        at = f"layout.folders.{path}"
        folder = layout.folders.get(path)
        if folder is None:
            yield Problem(at, "", "is missing, and the runner needs it", "declare it")
        elif folder.user != owner or folder.is_shared:
            value = f"{folder.mode} {':'.join(folder.owners)}"
            reason = f"lets others than {owner} exchange what the runner trusts there"
            yield Problem(at, value, reason, f"give it to {owner}, with a mode such as '0755'")


def _no_mount(path: str, value: str, mounts: list[str]) -> Problem:
    cure = f"choose one of {', '.join(mounts)}" if mounts else "declare one in storage.filesystems"
    return Problem(path, repr(value), "is not a mount of storage.filesystems", cure)


def _no_account(path: str, name: str, kind: str, known: set[str]) -> Problem:
    guess = nearest(name, known)
    cure = f"did you mean {guess!r}?" if guess else f"declare it in accounts.{kind}s"
    return Problem(path, repr(name), f"is no {kind} that accounts declares", cure)
