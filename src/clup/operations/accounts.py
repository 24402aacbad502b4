"""Users and groups: created with fixed ids, mended, never renumbered and never moved.

An account of another id owns files that clup cannot know: it is refused, with both ways out.
`among` names the pairs of a user's name and home that a series of these operations is about:
their state is then read in the same one command.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.accounts import (
    group_refusal,
    home_refusal,
    keys_refusal,
    membership,
    user_changes,
    user_refusal,
)
from clup.authorized_keys import Key, merged
from clup.command import script, sh
from clup.facts.accounts import Accounts, AccountsState, Home
from clup.operations.files import directory, owned
from clup.operations.steps import Steps, ensure, refuse

Homes = tuple[tuple[str, str], ...]

REACH_S = 30
"""Seconds that a user manager has to answer after it was started."""

# $1 user, $2 group, $3 home, $4 mode. What is copied is a new folder that only root can enter. Its
# data are on the disk before its name: a home that is there is not made again. What a power cut
# left of an earlier one goes.
_NEW_HOME = """set -eu
umask 077
candidate=${3%/*}/.clup.${3##*/}.
rm -rf -- "$candidate"??????
candidate=$(mktemp -d "${candidate}XXXXXX")
trap 'rm -rf -- "$candidate"' EXIT
if [ -d /etc/skel ]; then cp -a /etc/skel/. "$candidate/"; fi
chown -R -- "$1:$2" "$candidate"
chmod -- "0$4" "$candidate"
find "$candidate" -type f -exec sync -- {} +
mv -T -- "$candidate" "$3"
"""

# $1 user, $2 group, $3 home; the content comes as base64. The user may exchange what lies in the
# home at any moment, also for what only root may touch: all is done with no more power than the
# account has. Keys of another owner, which it can read, are replaced by a copy of its own.
_WRITE_KEYS = """exec setpriv --reuid="$1" --regid="$2" --clear-groups sh -euc '
  umask 077
  cd -P -- "$2"
  home=$(pwd)
  [ -e .ssh ] || [ -L .ssh ] || mkdir .ssh
  cd -P -- .ssh
  if [ "$(pwd)" != "$home/.ssh" ]; then echo "$2/.ssh is a link, not a folder" >&2; exit 1; fi
  chgrp -- "$1" .
  chmod -- 00700 .
  rm -f -- .authorized_keys.??????
  candidate=$(mktemp .authorized_keys.XXXXXX)
  trap "rm -f -- $candidate" EXIT
  base64 -d >"$candidate"
  if cmp -s -- "$candidate" authorized_keys && [ -O authorized_keys ]; then
    chgrp -h -- "$1" authorized_keys
    chmod 0600 authorized_keys
    exit
  fi
  if [ -e authorized_keys ]; then
    kept=authorized_keys.bak.$(date -u +%Y%m%d-%H%M%S)
    cp -p -- authorized_keys "$kept"
    sync -- "$kept"
  fi
  sync -- "$candidate"
  mv -fT -- "$candidate" authorized_keys' sh "$2" "$3"
"""

# $1 user, $2 uid, $3 seconds. What it is asked does not matter, only that it answers.
_START_MANAGER = """loginctl enable-linger "$1" && systemctl start "user@$2.service" || exit 1
until setpriv --reuid="$2" --regid="$(id -g "$1")" --init-groups \\
  env XDG_RUNTIME_DIR="/run/user/$2" systemctl --user show-environment >/dev/null 2>&1; do
  set -- "$1" "$2" "$(($3 - 1))"
  if [ "$3" -lt 1 ]; then echo "the user manager of $1 does not answer" >&2; exit 1; fi
  sleep 1
done
"""


@operation()
def group(group: str, gid: int, among: Homes) -> Steps:
    """Converge a group with that id."""
    state = host.get_fact(Accounts, homes=among)
    if refusal := group_refusal(state, group, gid):
        yield refuse(*refusal)
    elif group not in state.groups:
        yield sh("groupadd", "--gid", str(gid), "--", group)
        yield ensure(f"group {group}", lambda: _absent_group(group, gid, among))


@operation()
def user(
    user: str,
    uid: int,
    group: tuple[str, int],
    home: str,
    shell: str,
    comment: str | None,
    groups: Sequence[str],
    among: Homes,
) -> Steps:
    """Converge a user; `group` is the name and id of the primary one, which exists by then.

    No password is set: `*` lets no password in, and sshd still takes keys, which it may not where
    the account is locked by `!`. One that a person set stays. Other groups of the user stay.
    """
    state = host.get_fact(Accounts, homes=among)
    if refusal := user_refusal(state, user, uid, group, home):
        yield refuse(*refusal)
        return
    changes = user_changes(state, user, shell, comment, groups)
    if user in state.users and not changes:
        return
    words = [word for option, value in changes.items() for word in (option, value)]
    if user in state.users:
        found = state.users[user]
        before = {"--shell": found.shell, "--comment": found.comment}
        for option, value in changes.items():
            was = f"{before[option] or 'empty'} " if option in before else ""
            report.evidence(f"{user}: {option.lstrip('-')} {was}-> {value or 'empty'}")
        words = ["usermod", *(["--append"] if "--groups" in changes else []), *words]
    else:
        ids = ["--uid", str(uid), "--gid", str(group[1])]
        words = ["useradd", *ids, "--home-dir", home, "--no-create-home", *words]
    yield script(
        'if [ ! -x "$1" ]; then echo "the shell $1 is not installed" >&2; exit 1; fi; shift; "$@"',
        shell, *words, "--", user,
    )  # fmt: skip

    def wrong() -> str | None:
        after = host.get_fact(Accounts, homes=among)
        if refusal := user_refusal(after, user, uid, group, home):
            return refusal[1]
        lacking = user_changes(after, user, shell, comment, groups)
        return f"still lacks {', '.join(lacking)} after the change" if lacking else None

    yield ensure(f"user {user}", wrong)


@operation()
def home_folder(user: str, group: str, path: str, mode: str, among: Homes) -> Steps:
    """Converge a home folder itself; a new one holds what /etc/skel has."""
    state = host.get_fact(Accounts, homes=among)
    if refusal := home_refusal(state, user, path):
        yield refuse(*refusal)
        return
    folder = _home(state, user).folder
    if owned(folder, user, group, mode) and folder and folder.kind == "directory":
        return
    if folder is not None:
        yield from directory._inner(path, user, group, mode)
        return
    yield script(_NEW_HOME, user, group, path, mode)
    yield ensure(path, lambda: _wrong_home(user, group, mode, among))


@operation()
def authorized_keys(
    user: str, group: str, home: str, keys: Sequence[Key], exclusive: bool, among: Homes
) -> Steps:
    """Converge the keys with which a user may log in. Others stay, unless `exclusive`."""
    state = _home(host.get_fact(Accounts, homes=among), user)
    path = f"{home}/.ssh/authorized_keys"
    if refusal := keys_refusal(state, user, home):
        yield refuse(*refusal)
        return
    wanted = merged(state.text, keys, exclusive)
    if wanted == (state.text or "") and (state.keys is None or _keys_owned(state, user, group)):
        return
    report.diff(path, state.text, wanted)
    content = base64.encodebytes(wanted.encode("utf-8", errors="surrogateescape")).decode()
    yield script(_WRITE_KEYS, user, group, home, stdin=content)
    yield ensure(path, lambda: _wrong_keys(user, group, wanted, among))


@operation()
def user_manager(user: str, uid: int, among: Homes) -> Steps:
    """Have a user's systemd manager run from boot on, and answer now."""
    state = host.get_fact(Accounts, homes=among)
    if user in state.lingering and uid in state.managers:
        return
    yield script(_START_MANAGER, user, str(uid), str(REACH_S))
    yield ensure(f"user manager of {user}", lambda: _no_manager(user, uid, among))


@operation()
def members(
    group: str, allowed: Sequence[str], ours: Sequence[str], cure: str, among: Homes
) -> Steps:
    """Converge who is in a powerful group: all of `ours` that are `allowed`, and none that is not.

    Somebody else's account in it is refused with the `cure`: clup does not own it. Root counts
    as allowed.
    """
    state = host.get_fact(Accounts, homes=among)
    missing, surplus, strangers = membership(state.members(group), allowed, ours)
    if strangers:
        yield refuse(f"group {group}", f"has {', '.join(strangers)}", cure)
        return
    for name in surplus:
        report.evidence(f"{name} leaves {group}; what it already runs keeps it until it ends")
    for name in missing:
        report.evidence(f"{name} joins {group}")
    for name in surplus:
        yield sh("gpasswd", "--delete", name, group)
    for name in missing:
        yield sh("gpasswd", "--add", name, group)
    if missing or surplus:
        yield ensure(f"group {group}", lambda: _wrong_members(group, allowed, ours, among))


def _home(state: AccountsState, user: str) -> Home:
    return state.homes.get(user, Home())


def _keys_owned(state: Home, user: str, group: str) -> bool:
    return owned(state.ssh, user, group, "0700") and owned(state.keys, user, group, "0600")


def _absent_group(name: str, gid: int, among: Homes) -> str | None:
    found = host.get_fact(Accounts, homes=among).groups.get(name)
    return None if found and found.gid == gid else f"is {found} after the change"


def _wrong_home(user: str, group: str, mode: str, among: Homes) -> str | None:
    folder = _home(host.get_fact(Accounts, homes=among), user).folder
    if owned(folder, user, group, mode):
        return None
    return f"is {folder} after the change, not {user}:{group} {mode}"


def _wrong_keys(user: str, group: str, wanted: str, among: Homes) -> str | None:
    state = _home(host.get_fact(Accounts, homes=among), user)
    if state.text == wanted and _keys_owned(state, user, group):
        return None
    return f"is {state.keys} in {state.ssh} after the change, or has another content"


def _no_manager(name: str, uid: int, among: Homes) -> str | None:
    state = host.get_fact(Accounts, homes=among)
    if name not in state.lingering:
        return "linger is not enabled after the change"
    return None if uid in state.managers else f"user@{uid}.service is not active after the change"


def _wrong_members(
    group: str, allowed: Sequence[str], ours: Sequence[str], among: Homes
) -> str | None:
    found = host.get_fact(Accounts, homes=among).members(group)
    wrong = [name for names in membership(found, allowed, ours) for name in names]
    return f"is not as it should be after the change for {', '.join(wrong)}" if wrong else None
