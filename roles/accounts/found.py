"""The accounts of the settings, as somebody made them on the machine."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING

from clup.authorized_keys import BadKeyError, parse
from clup.checks import read
from clup.facts.accounts import Accounts, AccountsState, Home, User
from clup.found import Found, Note
from clup.masking import masked
from roles.accounts.settings import NO_HOME, POWERFUL, Settings

if TYPE_CHECKING:
    from testinfra.host import Host

WAIVED_DAYS = 90
"""How long a membership that makes an account root is waived: long enough to decide."""

REASON = "Was a member before clup came: decide whether it is needed"


def found(host: Host, settings: Settings) -> Iterator[Found | Note]:
    """Yield what the settings of this role would say of the machine."""
    state = read(host, Accounts, settings.homes)
    homes = tuple(
        (name, state.users[name].home if name in state.users else home)
        for name, home in settings.homes
    )
    yield from described(read(host, Accounts, homes), settings, datetime.date.today())


def described(
    state: AccountsState, settings: Settings, today: datetime.date
) -> Iterator[Found | Note]:
    """Given the accounts with the homes that they have, yield what settings would say of them."""
    taken = {user.uid for user in state.users.values()}
    taken |= {group.gid for group in state.groups.values()}
    missing = [name for name in settings.users if name not in state.users]
    for name in settings.users:
        if name in state.users:
            yield from _account(state, settings, name)
    for name in missing:
        yield from _free_id(state, settings, name, taken)
    users = {*state.users.values()}
    for name, gid in settings.groups.items():
        if name in state.groups and state.groups[name].gid != gid:
            yield Found(
                ("groups", name), state.groups[name].gid, _has(name, state.groups[name].gid)
            )
    yield from _waivers(state, settings, today)
    people = sorted(each.name for each in users if 1000 <= each.uid < 60000)
    if others := [name for name in people if name not in settings.users]:
        yield Note(f"Accounts that settings do not name, and that stay: {', '.join(others)}.")


def _account(state: AccountsState, settings: Settings, name: str) -> Iterator[Found | Note]:
    user, there, at = settings.users[name], state.users[name], ("users", name)
    if there.uid != user.uid:
        yield Found((*at, "uid"), there.uid, f"{name} has the id {there.uid} on this machine.")
    yield from _group(state, settings, name, there)
    if there.home != settings.home(name):
        yield Found((*at, "home"), there.home, f"{name} has its home there.")
    if there.shell != user.shell:
        yield Found((*at, "shell"), there.shell)
    if user.comment is not None and there.comment != user.comment:
        yield Found((*at, "comment"), there.comment or None)
    home = state.homes.get(name, Home())
    if there.home != NO_HOME and home.folder and home.folder.mode != user.home_mode:
        yield Found((*at, "home_mode"), home.folder.mode)
    yield from _keys(settings, name, home)
    if name in state.lingering and not user.linger:
        yield Found((*at, "linger"), True)


def _group(
    state: AccountsState, settings: Settings, name: str, there: User
) -> Iterator[Found | Note]:
    user, at = settings.users[name], ("users", name)
    group = next((each.name for each in state.groups.values() if each.gid == there.gid), None)
    if group is None:
        yield Note(f"{name} has the primary group {there.gid}, which has no name: give it one.")
        return
    if group != (user.group or name):
        why = f"{name} has this primary group."
        yield Found((*at, "group"), None if group == name else group, why)
    if group == name and there.gid == there.uid:
        return
    if settings.gids.get(group) != there.gid:
        yield Found(("groups", group), there.gid, _has(group, there.gid))


def _keys(settings: Settings, name: str, home: Home) -> Iterator[Found | Note]:
    """Keys are public; what else may stand in a line, such as a command's password, is not."""
    known = [str(key) for key in settings.keys(name)]
    there: list[str] = []
    unsaid = 0
    for line in (home.text or "").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            key = str(parse(line))
        except BadKeyError:
            key = ""
        if key and masked(key) == key and key.isprintable():
            there.append(key)
        else:
            unsaid += 1
    more = [key for key in dict.fromkeys(there) if key not in known]
    if more:
        why = f"These let {name} in now."
        yield Found(("users", name, "keys"), [*known, *more], why)
    if unsaid:
        yield Note(f"Keys of {name} that settings cannot say, and that stay: {unsaid}.")


def _free_id(
    state: AccountsState, settings: Settings, name: str, taken: set[int]
) -> Iterator[Found]:
    """An account that is not there yet needs an id that nobody has."""
    user = settings.users[name]
    holders = sorted(each.name for each in state.users.values() if each.uid == user.uid)
    if user.group is None and name not in settings.groups:
        groups = [g.name for g in state.groups.values() if g.gid == user.uid and g.name != name]
        holders += [group for group in groups if group not in holders]
        if name in state.groups and state.groups[name].gid != user.uid:
            gid = state.groups[name].gid
            yield Found(("groups", name), gid, _has(name, gid))
    declared = {each.uid for each in settings.users.values()} | set(settings.gids.values())
    if holders:
        free = next(one for one in range(user.uid, 60000) if one not in taken | declared)
        taken.add(free)
        yield Found(
            ("users", name, "uid"), free, f"{user.uid} is the id of {', '.join(holders)} here."
        )


def _waivers(state: AccountsState, settings: Settings, today: datetime.date) -> Iterator[Found]:
    """Yield a waiver for each membership that makes an account root: anybody's of docker, and of
    other groups those of the settings' accounts."""
    there: dict[str, list[str]] = {}
    for group in sorted(POWERFUL):
        ours = state.members(group) if group == "docker" else settings.users.keys()
        for name in state.members(group) & ours - {"root", *settings.waived(today, group)}:
            there.setdefault(name, []).append(group)
    last = today + datetime.timedelta(WAIVED_DAYS)
    for name, groups in sorted(there.items()):
        at, waiver = ("docker", name), settings.docker.get(name)
        if waiver is None or not waiver.holds(today):
            yield Found(at, {}, "Makes it as strong as root.")
            yield Found((*at, "reason"), REASON)
            yield Found((*at, "owner"), name)
            yield Found((*at, "expires"), last.isoformat())
        else:
            groups = [*waiver.groups, *groups]
        if groups != ["docker"]:
            yield Found((*at, "groups"), groups, "Each makes it as strong as root.")


def _has(group: str, gid: int) -> str:
    return f"The group {group} has the id {gid} on this machine."
