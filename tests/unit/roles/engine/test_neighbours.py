"""When the rules against neighbours are needed, and what of them is there."""

from __future__ import annotations

import pytest

from clup.operations.firewall import lacking
from roles.engine.neighbours import LINES, closes
from roles.engine.settings import Settings
from tests.unit.roles.engine import invalid_settings as invalid


@pytest.mark.parametrize(
    ("version", "needed"),
    [
        ("5:26.1.5-1~debian.13~trixie", True),
        ("5:27.5.1-1~debian.13~trixie", True),
        ("5:28.0.0-1~debian.13~trixie", False),
        ("5:29.0.1-1~debian.13~trixie", False),
        ("29.0.1", True),  # what cannot be told is closed
    ],
)
def test_a_docker_that_closes_itself_needs_no_rules(version: str, needed: bool) -> None:
    versions = {**invalid.VERSIONS, "docker-ce": version}
    settings = Settings.model_validate(invalid.repository(versions=versions))
    assert closes(settings) == needed


def test_the_distributions_docker_may_be_an_older_one() -> None:
    assert closes(Settings())


def test_what_of_the_rules_is_there() -> None:
    assert lacking(LINES, LINES) == []
    assert lacking(LINES, []) == list(LINES)
    without = [line for line in LINES if line != "ip daddr 127.0.0.0/8 drop"]
    assert lacking(LINES, without) == ["ip daddr 127.0.0.0/8 drop"]
    # A rule that accepts everything before the others is no rule of ours.
    assert lacking(LINES, [*LINES[:3], "accept", *LINES[3:]]) == [
        "the order of its rules, or their number"
    ]
