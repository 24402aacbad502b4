"""A machine's accounts, said in settings."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from clup.facts.accounts import AccountsState, Group, Home, User
from clup.facts.paths import PathState
from clup.found import Found, Note
from roles.accounts.found import REASON, described
from roles.accounts.settings import Settings

TODAY = datetime.date(2026, 11, 21)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPeuEOn+xUJDJvlFYELNtyNqPR+nTSUzDeTgZ5gRNW1C psy@desk"
PSY = User("psy", 2000, 2000, "The human account", "/home/psy", "/bin/bash")
GROUPS = {"psy": Group("psy", 2000, frozenset())}


def said(
    users: dict[str, User], groups: dict[str, Group], home: Home | None = None
) -> dict[str, Any]:
    """Return what is found for the accounts of the site, by its path, and the notes as "note"."""
    homes = {"psy": home} if home else {}
    state = AccountsState(users=users, groups=groups, homes=homes)
    found = list(described(state, Settings(), TODAY))
    values = {".".join(each.path): each.value for each in found if isinstance(each, Found)}
    notes = [each.text for each in found if isinstance(each, Note)]
    return values | ({"note": notes} if notes else {})


def group(name: str, gid: int, *members: str) -> dict[str, Group]:
    return {name: Group(name, gid, frozenset(members))}


@pytest.mark.parametrize(
    ("users", "groups", "expected"),
    [
        ({}, {}, {}),
        ({"psy": PSY}, GROUPS, {}),
        (
            {"psy": User("psy", 1000, 1000, "Psy,,,", "/home/psy", "/bin/zsh")},
            group("psy", 1000),
            {
                "users.psy.uid": 1000,
                "users.psy.comment": "Psy,,,",
                "users.psy.shell": "/bin/zsh",
            },
        ),
        (
            {"psy": User("psy", 1000, 1001, "", "/srv/psy", "/bin/bash")},
            group("psy", 1001),
            {
                "users.psy.uid": 1000,
                "groups.psy": 1001,
                "users.psy.home": "/srv/psy",
                "users.psy.comment": None,
            },
        ),
        (
            {"psy": User("psy", 2000, 100, "The human account", "/home/psy", "/bin/bash")},
            group("users", 100),
            {"users.psy.group": "users", "groups.users": 100},
        ),
        (
            {"psy": PSY, "jenkins": User("jenkins", 2010, 2010, "", "/var/lib/j", "/bin/sh")},
            GROUPS | group("jenkins", 2010),
            {
                "users.claw-runner.uid": 2014,
                "note": ["Accounts that settings do not name, and that stay: jenkins."],
            },
        ),
        ({}, group("claw-runner", 998), {"groups.claw-runner": 998}),
        (
            {"psy": PSY},
            GROUPS | group("docker", 990, "psy"),
            {
                "docker.psy": {},
                "docker.psy.reason": REASON,
                "docker.psy.owner": "psy",
                "docker.psy.expires": "2027-02-19",
            },
        ),
        (
            {"psy": PSY},
            GROUPS | group("sudo", 27, "psy", "installer") | group("docker", 990, "psy"),
            {
                "docker.psy": {},
                "docker.psy.reason": REASON,
                "docker.psy.owner": "psy",
                "docker.psy.expires": "2027-02-19",
                "docker.psy.groups": ["docker", "sudo"],
            },
        ),
    ],
)
def test_what_differs_is_said(
    users: dict[str, User], groups: dict[str, Group], expected: dict[str, Any]
) -> None:
    assert said(users, groups) == expected


def test_keys_are_said_and_what_may_hold_a_secret_is_counted() -> None:
    lines = f'# mine\n{KEY}\ncommand="x --token=abc" {KEY}\nnonsense\n'
    home = Home(PathState("directory", "0700", "psy", "psy"), text=lines)
    assert said({"psy": PSY}, GROUPS, home) == {
        "users.psy.home_mode": "0700",
        "users.psy.keys": [KEY],
        "note": ["Keys of psy that settings cannot say, and that stay: 2."],
    }


@pytest.mark.parametrize(
    ("expires", "paths"),
    [
        (TODAY, ["groups"]),
        (TODAY - datetime.timedelta(1), ["", "reason", "owner", "expires", "groups"]),
    ],
)
def test_a_waiver_that_there_is_is_widened_while_it_holds(
    expires: datetime.date, paths: list[str]
) -> None:
    waiver = {"reason": "builds images by hand", "owner": "ops", "expires": expires}
    state = AccountsState(users={"psy": PSY}, groups=GROUPS | group("lxd", 110, "psy"))
    settings = Settings.model_validate({"docker": {"psy": waiver}})
    found = [each for each in described(state, settings, TODAY) if isinstance(each, Found)]
    assert [".".join(each.path[2:]) for each in found] == paths
    assert found[-1].value == (["docker", "lxd"] if expires == TODAY else ["lxd"])


def test_settings_take_what_is_said() -> None:
    users = {"psy": User("psy", 1000, 1001, "", "/srv/psy", "/bin/bash")}
    given = {"users": {"psy": {"uid": 1000, "home": "/srv/psy"}}, "groups": {"psy": 1001}}
    settings = Settings.model_validate(given)
    state = AccountsState(users=users, groups=group("psy", 1001))
    found = [each for each in described(state, settings, TODAY) if isinstance(each, Found)]
    assert [each.path for each in found] == [("users", "psy", "comment")]
