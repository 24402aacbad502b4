"""What a machine's accounts lack, and what about them is refused: decided from values alone."""

from __future__ import annotations

from collections.abc import Sequence

from clup.facts.accounts import AccountsState, Home

Refusal = tuple[str, str, str]
"""What is refused, what was found, and the cure."""

NOBODYS = "UNKNOWN"
"""What stat says where the owner has no account, as in a home whose account is still to be made."""


def group_refusal(state: AccountsState, name: str, gid: int) -> Refusal | None:
    """Return why a group of that id cannot be had on that machine, or None if it can."""
    found = state.groups.get(name)
    if found is not None and found.gid != gid:
        cure = (
            f"set its id in the settings to {found.gid}, or renumber it by hand: groupmod -g {gid}"
            f" {name}, then chgrp what `find / -xdev -gid {found.gid}` lists"
        )
        return f"group {name}", f"has the id {found.gid}, not {gid}", cure
    others = [other.name for other in state.groups.values() if other.gid == gid]
    if found is None and others:
        cure = f"choose a free id, or rename it by hand: groupmod -n {name} {others[0]}"
        return f"group {name}", f"its id {gid} is that of {others[0]}", cure
    return None


def user_refusal(
    state: AccountsState, name: str, uid: int, group: tuple[str, int], home: str
) -> Refusal | None:
    """Return why a user of that id, primary group and home cannot be had, or None if it can."""
    what, setting = f"user {name}", f"accounts.users.{name}"
    found = state.users.get(name)
    if found is None:
        others = [other.name for other in state.users.values() if other.uid == uid]
        if others:
            return what, f"its id {uid} is that of {others[0]}", f"choose a free {setting}.uid"
        return None
    if found.uid != uid:
        cure = (
            f"set {setting}.uid to {found.uid}, or renumber it by hand: usermod -u {uid} {name},"
            f" then chown what `find / -xdev -uid {found.uid}` lists"
        )
        return what, f"has the id {found.uid}, not {uid}", cure
    if found.gid != group[1]:
        present = next((g.name for g in state.groups.values() if g.gid == found.gid), None)
        by_hand = f"change it by hand: usermod -g {group[0]} {name}"
        cure = f"set {setting}.group to '{present}', or {by_hand}" if present else by_hand
        return what, f"has the primary group {present or found.gid}, not {group[0]}", cure
    if found.home != home:
        cure = f"set {setting}.home to '{found.home}', or move it: usermod -m -d {home} {name}"
        return what, f"has its home at {found.home}, not {home}", cure
    return None


def user_changes(
    state: AccountsState, name: str, shell: str, comment: str | None, groups: Sequence[str]
) -> dict[str, str]:
    """Return options of useradd, or usermod for one that exists, for what is not as it should be.

    Empty for a user that is; a comment of None stays as it is.
    """
    found = state.users.get(name)
    missing = [each for each in groups if name not in state.members(each)]
    changes: dict[str, str] = {}
    if found is None or found.shell != shell:
        changes["--shell"] = shell
    if comment is not None and (found is None or found.comment != comment):
        changes["--comment"] = comment
    if found is None or found.password == "empty":
        changes["--password"] = "*"
    if missing:
        changes["--groups"] = ",".join(missing)
    return changes


def home_refusal(state: AccountsState, user: str, home: str) -> Refusal | None:
    """Return why a folder cannot be made a user's home, or be mended as one, or None if it can.

    A home that a person gave to root is mended, but root's folder is nobody's new home.
    """
    found = state.homes.get(user, Home())
    if found.exposed:
        who = f"others than root may exchange what is in {found.exposed}"
        return home, f"is not safe: {who}", "choose a home below /home"
    owners = {user, NOBODYS, *(["root"] if user in state.users else [])}
    if found.folder is not None and found.folder.user not in owners:
        cure = f"choose another accounts.users.{user}.home, or move the folder away"
        return home, f"belongs to {found.folder.user}, not to {user}", cure
    return None


def keys_refusal(state: Home, user: str, home: str) -> Refusal | None:
    """Return why the keys in a user's home cannot be converged, or None if they can.

    The user may move there what belongs to root: nothing of another owner is given to the user,
    and what the user cannot read is not read.
    """
    folder, file = f"{home}/.ssh", f"{home}/.ssh/authorized_keys"
    for path, found, kind in ((folder, state.ssh, "directory"), (file, state.keys, "file")):
        if found is not None and found.kind != kind:
            return path, f"is a {found.kind}, not a {kind}", _away(path)
    if state.ssh is not None and state.ssh.user not in (user, NOBODYS):
        return folder, f"belongs to {state.ssh.user}, not to {user}", _away(folder)
    if state.keys is not None and state.text is None:
        return file, f"has more than 1 MB, or {user} itself cannot read it", _away(file)
    return None


def _away(path: str) -> str:
    return f"see what it is, move it away (sudo mv -T {path} {path}.away), then apply again"


def membership(
    present: frozenset[str], allowed: Sequence[str], ours: Sequence[str]
) -> tuple[list[str], list[str], list[str]]:
    """Given who is in a group, return who of ours is missing, who is too many, and strangers."""
    missing = sorted(set(allowed) & set(ours) - present)
    surplus = sorted(present & set(ours) - set(allowed))
    strangers = sorted(present - set(ours) - set(allowed) - {"root"})
    return missing, surplus, strangers
