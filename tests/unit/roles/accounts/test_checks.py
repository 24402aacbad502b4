"""Who is as strong as root by a group, and who may be."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from clup.facts.accounts import AccountsState, Group, User
from roles.accounts.checks import as_root
from roles.accounts.settings import Settings

TODAY = datetime.date(2026, 11, 21)
WAIVER = {"reason": "administers the machine", "owner": "ops", "expires": TODAY}
BOTH = WAIVER | {"groups": ["docker", "sudo"]}
OVER = BOTH | {"expires": TODAY - datetime.timedelta(1)}


@pytest.mark.parametrize(
    ("members", "waiver", "failed"),
    [
        ({}, None, []),
        ({"sudo": ["installer"], "adm": ["psy"]}, None, []),
        ({"sudo": ["psy"]}, None, ["psy is not in the group sudo"]),
        ({"lxd": ["claw-job"], "disk": ["psy"]}, None, ["psy is not", "claw-job is not"]),
        ({"docker": ["psy"], "sudo": ["psy"]}, BOTH, []),
        ({"docker": ["psy"], "sudo": ["psy"]}, WAIVER, ["psy is not in the group sudo"]),
        ({"sudo": ["psy"]}, BOTH, ["psy is in the group docker by its waiver"]),
        ({"sudo": ["psy"]}, WAIVER | {"groups": ["sudo"]}, []),
        ({"sudo": ["psy"]}, OVER, ["the waiver of psy for docker, sudo", "psy is not"]),
        ({"docker": ["psy"]}, None, ["nobody is in the group docker without a waiver"]),
    ],
)
def test_members_of_groups_that_are_root(
    members: dict[str, list[str]], waiver: dict[str, Any] | None, failed: list[str]
) -> None:
    groups = {name: Group(name, 27, frozenset(each)) for name, each in members.items()}
    settings = Settings.model_validate({"docker": {"psy": waiver} if waiver else {}})
    results = as_root(AccountsState(groups=groups), settings, TODAY)
    found = [each for each in results if each.status == "failed"]
    assert len(found) == len(failed)
    assert all(words in each.what for words, each in zip(failed, found, strict=True))


def test_the_cure_names_account_and_group_also_where_it_is_the_primary_one() -> None:
    psy = User("psy", 2000, 27, "", "/home/psy", "/bin/bash")
    state = AccountsState({"psy": psy}, {"sudo": Group("sudo", 27, frozenset())})
    [result] = [each for each in as_root(state, Settings(), TODAY) if each.status == "failed"]
    assert "`gpasswd -d psy sudo`" in result.cure
