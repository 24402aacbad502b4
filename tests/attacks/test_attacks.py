"""Attacks on the guard from four positions. Those through the runner: test_callers.py.

Whether an attack has succeeded is read from the host. The cases are data: cases/POSITION.yaml.
Beside the sound guard, which the invariants of every container judge too, guards that are weaker in
one place each must be caught.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from clup import lab
from clup.compose.stack import judge_container
from tests.attacks import stand
from tests.attacks.caught import CAUGHT_BY

CASES = {
    f"{case['position']}: {case['name']}": case for case in stand.every_case(stand.BEFORE_THE_GUARD)
}


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with stand.machine("attacks", "guard") as box:
        yield box


@pytest.fixture(scope="module")
def results(box: lab.Lab) -> dict[str, dict[str, Any]]:
    stand.guard(box)
    return stand.played(box, list(CASES.values()))


def test_there_are_enough_attacks_from_each_position() -> None:
    cases = stand.every_case()
    assert len(cases) >= 120
    assert all(len(stand.cases(position)) >= 10 for position in stand.POSITIONS)
    assert len(CAUGHT_BY) >= 10
    assert len({case["name"] for case in cases}) == len(cases)


@pytest.mark.parametrize("name", CASES)
def test_an_attack_achieves_nothing(results: dict[str, dict[str, Any]], name: str) -> None:
    result = results[CASES[name]["name"]]
    assert result.get("achieved") == [], result["said"]


def test_what_the_guard_makes_breaks_no_invariant(box: lab.Lab) -> None:
    stand.guard(box)
    case = {"name": "x", "position": "hostile runner", "steps": [{"create": "sh"}], "shows": True}
    container = stand.played(box, [case])["x"]["container"]
    assert judge_container(container) == []


@pytest.mark.parametrize(("name", "attack"), CAUGHT_BY.items())
def test_a_weaker_guard_is_caught(box: lab.Lab, name: str, attack: str) -> None:
    stand.guard(box, f"-m tests.attacks.weakened {name}")
    case = next(case for case in stand.every_case() if case["name"] == attack)
    assert stand.played(box, [case])[attack]["achieved"] != []
