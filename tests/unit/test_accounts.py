"""What is refused and what is changed on a machine with these accounts: tables of values."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clup.accounts import (
    group_refusal,
    home_refusal,
    keys_refusal,
    membership,
    user_changes,
    user_refusal,
)
from clup.facts.accounts import AccountsState, Group, Home, User
from clup.facts.paths import PathState

PSY = User("psy", 2000, 2000, "Human", "/home/psy", "/bin/bash", "none")
OTHER_SHELL = User("psy", 2000, 2000, "Human", "/home/psy", "/bin/sh", "none")
GROUPS = {
    "psy": Group("psy", 2000, frozenset()),
    "adm": Group("adm", 4, frozenset({"psy"})),
    "users": Group("users", 100, frozenset()),
}


def machine(*users: User) -> AccountsState:
    """Return a machine with these users and the groups of the test."""
    return AccountsState(users={user.name: user for user in users}, groups=GROUPS)


@pytest.mark.parametrize(
    ("name", "gid", "found", "cure"),
    [
        ("psy", 2000, None, None),
        ("new", 3000, None, None),
        ("psy", 3000, "has the id 2000, not 3000", "to 2000, or renumber it by hand: groupmod"),
        ("new", 2000, "its id 2000 is that of psy", "choose a free id"),
    ],
)
def test_groups(name: str, gid: int, found: str | None, cure: str | None) -> None:
    refusal = group_refusal(machine(), name, gid)
    assert (refusal and refusal[1]) == found
    assert refusal is None or (cure or "") in refusal[2]


@pytest.mark.parametrize(
    ("present", "found", "cure"),
    [
        (None, None, None),
        (PSY, None, None),
        (replace(PSY, uid=1000), "has the id 1000, not 2000", "accounts.users.psy.uid to 1000"),
        (replace(PSY, gid=100), "has the primary group users, not psy", "group to 'users'"),
        (replace(PSY, gid=77), "has the primary group 77, not psy", "usermod -g psy psy"),
        (replace(PSY, home="/srv/psy"), "has its home at /srv/psy", "home to '/srv/psy'"),
        (replace(PSY, name="bob"), "its id 2000 is that of bob", "choose a free"),
    ],
)
def test_users(present: User | None, found: str | None, cure: str | None) -> None:
    state = machine(*([present] if present else []))
    refusal = user_refusal(state, "psy", 2000, ("psy", 2000), "/home/psy")
    assert (found or "") in (refusal[1] if refusal else "")
    assert (refusal is None) == (found is None)
    assert refusal is None or (cure or "") in refusal[2]


@pytest.mark.parametrize(
    ("present", "comment", "groups", "changes"),
    [
        (PSY, "Human", ["adm"], {}),
        (PSY, None, [], {}),
        (None, None, [], {"--shell": "/bin/bash", "--password": "*"}),
        (None, "A", ["users"], {
            "--shell": "/bin/bash", "--comment": "A", "--password": "*", "--groups": "users",
        }),
        (OTHER_SHELL, None, [], {"--shell": "/bin/bash"}),
        (PSY, "", [], {"--comment": ""}),
        (PSY, None, ["adm", "users", "new"], {"--groups": "users,new"}),
        (replace(PSY, password="empty"), None, [], {"--password": "*"}),
        (replace(PSY, password="locked"), None, [], {}),
        (replace(PSY, password="set"), None, [], {}),
    ],
)  # fmt: skip
def test_changes(
    present: User | None, comment: str | None, groups: list[str], changes: dict[str, str]
) -> None:
    # The list of adm may name psy before there is a psy: a deleted account leaves it so.
    state = machine(*([present] if present else []))
    assert user_changes(state, "psy", "/bin/bash", comment, groups) == changes


@pytest.mark.parametrize(
    ("present", "allowed", "missing", "surplus", "strangers"),
    [
        ("", "", "", "", ""),
        ("psy", "", "", "psy", ""),
        ("psy", "psy", "", "", ""),
        ("", "psy", "psy", "", ""),
        ("root ubuntu", "", "", "", "ubuntu"),
        ("ubuntu", "ubuntu", "", "", ""),
        ("", "ubuntu", "", "", ""),
        ("psy bob zoe", "bob", "", "psy", "zoe"),
    ],
)
def test_members(present: str, allowed: str, missing: str, surplus: str, strangers: str) -> None:
    decided = membership(frozenset(present.split()), allowed.split(), ["psy", "claw-runner"])
    assert decided == (missing.split(), surplus.split(), strangers.split())


def test_members_by_primary_group_count() -> None:
    state = machine(PSY, replace(PSY, name="bob", uid=2001))
    assert state.members("psy") == {"psy", "bob"}
    assert state.members("docker") == frozenset()


FOLDER = PathState("directory", "0700", "psy", "psy")
FILE = PathState("file", "0600", "psy", "psy")


@pytest.mark.parametrize(
    ("home", "found"),
    [
        (Home(), None),
        (Home(FOLDER), None),
        (Home(replace(FOLDER, user="root")), None),
        (Home(replace(FOLDER, user="UNKNOWN")), None),
        (Home(replace(FOLDER, user="bob")), "belongs to bob, not to psy"),
        (Home(exposed="/home/bob"), "is not safe: others than root may exchange what is in"),
    ],
)
def test_homes(home: Home, found: str | None) -> None:
    refusal = home_refusal(replace(machine(PSY), homes={"psy": home}), "psy", "/home/psy")
    assert (refusal is None) == (found is None)
    assert (found or "") in (refusal[1] if refusal else "")


def test_a_folder_of_root_is_no_new_home() -> None:
    state = replace(machine(), homes={"psy": Home(replace(FOLDER, user="root"))})
    refusal = home_refusal(state, "psy", "/srv/secrets")
    assert refusal
    assert refusal[1] == "belongs to root, not to psy"


@pytest.mark.parametrize(
    ("home", "path", "found"),
    [
        (Home(), None, None),
        (Home(FOLDER, FOLDER, FILE, ""), None, None),
        (Home(FOLDER, replace(FOLDER, kind="link")), "/home/psy/.ssh", "is a link"),
        (
            Home(FOLDER, FOLDER, replace(FILE, kind="fifo")),
            "/home/psy/.ssh/authorized_keys",
            "is a fifo, not a file",
        ),
        (Home(FOLDER, FOLDER, FILE, None), "/home/psy/.ssh/authorized_keys", "cannot read it"),
        (Home(FOLDER, FOLDER, replace(FILE, user="root"), ""), None, None),
        (Home(FOLDER, replace(FOLDER, user="UNKNOWN"), FILE, ""), None, None),
        (Home(FOLDER, replace(FOLDER, user="root")), "/home/psy/.ssh", "belongs to root, not"),
    ],
)
def test_keys_in_the_way(home: Home, path: str | None, found: str | None) -> None:
    refusal = keys_refusal(home, "psy", "/home/psy")
    assert (refusal and refusal[0]) == path
    assert (found or "") in (refusal[1] if refusal else "")
