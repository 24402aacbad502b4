from __future__ import annotations

import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from clup.compose.judge import Finding, weigh
from clup.compose.waiver import Waiver

TODAY = datetime.date(2026, 11, 21)
FINDING = Finding("user", "web", "services.web.user", "'0:0'", "is root", "name another", "x")
GIVEN: dict[str, Any] = {
    "rule": "user",
    "service": "web",
    "reason": "its image starts as root to read a key",
    "owner": "psy",
    "expires": TODAY,
}

WEIGHED = {
    "holds": ({}, []),
    "on its last day": ({"expires": TODAY}, []),
    "for that value": ({"value": "0:0"}, []),
    "for that value as it is shown": ({"value": "'0:0'"}, []),
    "is over": (
        {"expires": TODAY - datetime.timedelta(days=1)},
        ["At waivers.0.expires: 2026-11-20 is over: the waiver no longer holds; mend what it "
         "allowed, or have psy decide again", str(FINDING)],
    ),
    "of no rule": (
        {"rule": "usr"},
        ["At waivers.0.rule: 'usr' is no rule; did you mean 'user'?", str(FINDING)],
    ),
    "like no rule": (
        {"rule": "zzzzzz"},
        ["At waivers.0.rule: 'zzzzzz' is no rule; docs/invariants.md lists the rules",
         str(FINDING)],
    ),
    "of another rule": (
        {"rule": "devices"},
        ["At waivers.0: devices for web sets nothing aside; remove it", str(FINDING)],
    ),
    "of another service": (
        {"service": "guard"},
        ["At waivers.0: user for guard sets nothing aside; remove it", str(FINDING)],
    ),
    "for another value": (
        {"value": "root"},
        ["At waivers.0: user for web sets nothing aside; remove it", str(FINDING)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), WEIGHED.values(), ids=WEIGHED)
def test_a_waiver(change: dict[str, Any], expected: list[str]) -> None:
    verdict = weigh([FINDING], [Waiver(**GIVEN | change)], TODAY)
    assert sorted(map(str, verdict.problems)) == sorted(expected)
    assert verdict.waived == (() if expected else (FINDING,))


def test_without_waivers_each_finding_is_a_problem() -> None:
    assert weigh([FINDING], [], TODAY).problems == (FINDING.problem,)


def test_of_two_waivers_for_the_same_both_hold() -> None:
    waiver = Waiver(**GIVEN)
    assert weigh([FINDING], [waiver, waiver], TODAY).problems == ()


@pytest.mark.parametrize("key", ["rule", "service", "reason", "owner", "expires"])
def test_a_waiver_says_all_of_it(key: str) -> None:
    Waiver(**GIVEN)
    with pytest.raises(ValidationError, match="required"):
        Waiver(**{name: value for name, value in GIVEN.items() if name != key})


@pytest.mark.parametrize("change", [{"reason": "because"}, {"owner": ""}, {"until": TODAY}])
def test_a_waiver_says_it_properly(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Waiver(**GIVEN | change)
