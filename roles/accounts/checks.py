"""Read users, groups, homes, keys and user managers as the machine has them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING

from clup.accounts import membership
from clup.authorized_keys import keys_in
from clup.checks import APPLY, Result, expect, lines, read
from clup.facts.accounts import Accounts, AccountsState, Home
from clup.facts.paths import PathState
from roles.accounts.settings import NO_HOME, POWERFUL, Settings

if TYPE_CHECKING:
    from testinfra.host import Host

# The answer counts, not its exit status: a manager with a failed unit answers "degraded".
_ANSWERS = """for uid; do
  XDG_RUNTIME_DIR=/run/user/$uid setpriv --reuid="$uid" --regid="$(id -g "$uid")" --init-groups \\
    timeout 5 systemctl --user show-environment >/dev/null 2>&1 && echo "$uid"
done; true"""


def checks(host: Host, settings: Settings) -> Iterator[Result]:
    """Compare the machine's accounts with the declared ones."""
    state = read(host, Accounts, settings.homes)
    for name, gid in settings.gids.items():
        found = state.groups.get(name)
        yield expect(f"accounts: group {name} has the id {gid}", gid, found and found.gid, APPLY)
    for name in settings.users:
        yield from _user(state, settings, name)
        if settings.home(name) != NO_HOME:
            yield from _home(state.homes.get(name, Home()), settings, name)
    yield from _managers(host, state, settings)
    yield from as_root(state, settings, datetime.date.today())


def _user(state: AccountsState, settings: Settings, name: str) -> Iterator[Result]:
    user, found = settings.users[name], state.users.get(name)
    what = f"accounts: user {name}"
    yield expect(f"{what} has the id {user.uid}", user.uid, found and found.uid, APPLY)
    if found is None:
        return
    group, home = user.group or name, settings.home(name)
    gid = settings.gids[group]
    yield expect(f"{what} has the primary group {group}", gid, found.gid, APPLY)
    yield expect(f"{what} has its home at {home}", home, found.home, APPLY)
    yield expect(f"{what} has the shell {user.shell}", user.shell, found.shell, APPLY)
    if user.comment is not None:
        yield expect(f"{what} is called {user.comment!r}", user.comment, found.comment, APPLY)
    empty = found.password == "empty"
    yield expect(f"{what} does not log in with an empty password", False, empty, APPLY)
    for other in user.groups:
        joined = name in state.members(other)
        yield expect(f"{what} is a member of {other}", True, joined, APPLY)


def _home(state: Home, settings: Settings, name: str) -> Iterator[Result]:
    user, home = settings.users[name], settings.home(name)
    group = user.group or name

    def is_own(path: str, mode: str, found: PathState | None) -> Result:
        wanted = f"{mode} {name}:{group}"
        has = f"{found.mode} {found.user}:{found.group}" if found else "nothing"
        return expect(f"accounts: {path} is {wanted}", wanted, has, APPLY)

    yield is_own(home, user.home_mode, state.folder)
    if not user.keys and not user.exclusive_keys:
        return
    path = f"{home}/.ssh/authorized_keys"
    yield is_own(f"{home}/.ssh", "0700", state.ssh)
    yield is_own(path, "0600", state.keys)
    present = keys_in(state.text or "")
    for key in settings.keys(name):
        there = any(key.same_as(other) for other in present)
        yield expect(f"accounts: {name} may log in with {key.label}", True, there, APPLY)
    if user.exclusive_keys:
        known = {key.blob for key in settings.keys(name)}
        strange = [other.label for other in present if other.blob not in known]
        yield expect(f"accounts: {name} may log in with no other key", [], strange, APPLY)


def _managers(host: Host, state: AccountsState, settings: Settings) -> Iterator[Result]:
    users = {name: str(user.uid) for name, user in settings.users.items() if user.linger}
    if not users:
        return
    asked = ("sh", "-c", _ANSWERS, "sh", *users.values())
    answering = lines(host, " ".join(["%s"] * len(asked)), *asked)
    for name, uid in users.items():
        lingers = name in state.lingering
        yield expect(f"accounts: {name} lingers, from boot on", True, lingers, APPLY)
        what = f"accounts: the user manager of {name} answers"
        yield expect(what, True, uid in answering, f"{APPLY}; `systemctl status user@{uid}`")


def as_root(state: AccountsState, settings: Settings, today: datetime.date) -> Iterator[Result]:
    """Look for members of the groups that are as strong as root. Of all but docker, only the
    accounts of the settings count: whoever administers the machine is in one."""
    allowed = settings.waived(today)
    present = state.members("docker")
    missing, surplus, strangers = membership(present, allowed, tuple(settings.users))
    what = "accounts: nobody is in the group docker without a waiver"
    cure = "`clup apply` takes out declared accounts; others by `gpasswd -d NAME docker`"
    yield expect(what, [], sorted([*surplus, *strangers]), cure)
    for name, waiver in settings.docker.items():
        groups = ", ".join(waiver.groups)
        what = f"accounts: the waiver of {name} for {groups} holds until {waiver.expires}"
        cure = f"ask {waiver.owner} whether it is still needed: {waiver.reason}"
        yield expect(what, True, waiver.holds(today), cure)
    for name in settings.users:
        if name in allowed:
            what = f"accounts: {name} is in the group docker by its waiver"
            yield expect(what, True, name not in missing, APPLY)
    for group in sorted(POWERFUL - {"docker"}):
        waived = settings.waived(today, group)
        for name in sorted(state.members(group) & settings.users.keys()):
            what = f"accounts: {name} is not in the group {group}, or has a waiver for it"
            cure = (
                f"`gpasswd -d {name} {group}` (or another primary group), or say why, who and until"
                f" when in accounts.docker.{name}, with {group} in its `groups`"
            )
            yield expect(what, True, name in waived, cure)
