"""Which settings of the role accounts are refused, and what the good ones come to."""

from __future__ import annotations

import datetime

import pytest
from pydantic import ValidationError

from clup.settings import problems_of
from roles.accounts.settings import Settings
from tests.unit.roles.accounts.invalid_settings import KEY

NO_JOBS = dict.fromkeys(("claw-guard", "claw-job", "claw-trusted", "gw-admin"))


def test_a_private_key_is_never_shown() -> None:
    secret = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA"
    with pytest.raises(ValidationError) as error:
        Settings.model_validate({"users": {"psy": {"keys": [secret]}}})
    [problem] = problems_of(error.value, Settings)
    assert "b3Bl" not in str(problem)


def test_what_is_given_is_merged_over_the_site() -> None:
    given = {"psy": {"uid": 1000, "keys": [KEY]}, **NO_JOBS, "bob": {"uid": 2100}}
    settings = Settings.model_validate({"users": given})
    assert settings.gids == {"psy": 1000, "claw-runner": 2010, "bob": 2100}
    assert settings.users["psy"].linger
    assert settings.homes == (
        ("psy", "/home/psy"),
        ("claw-runner", "/nonexistent"),
        ("bob", "/home/bob"),
    )
    assert [str(key) for key in settings.keys("psy")] == [KEY]


def test_a_declared_group_keeps_its_own_id() -> None:
    users = {**NO_JOBS, "gw-admin": {"group": "team"}}
    given = {"groups": {"psy": 3000, "team": 3001}, "users": users}
    settings = Settings.model_validate(given)
    assert settings.gids == {"psy": 3000, "team": 3001, "claw-runner": 2010}


def test_a_waiver_holds_up_to_its_last_day() -> None:
    last = {"reason": "builds images by hand", "owner": "ops", "expires": "2030-01-31"}
    settings = Settings.model_validate({"docker": {"psy": last}})
    assert settings.waived(datetime.date(2030, 1, 31)) == ("psy",)
    assert settings.waived(datetime.date(2030, 2, 1)) == ()
    assert settings.waived(datetime.date(2030, 1, 31), "sudo") == ()
