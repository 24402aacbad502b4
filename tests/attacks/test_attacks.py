"""Attacks on the guard from four positions.

Whether an attack has succeeded is read from the host. The cases are data: cases/POSITION.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from clup import lab
from tests.attacks import stand

CASES = {f"{case['position']}: {case['name']}": case for case in stand.every_case()}


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with stand.machine("attacks") as box:
        yield box


@pytest.fixture(scope="module")
def results(box: lab.Lab) -> dict[str, dict[str, Any]]:
    stand.guard(box)
    return stand.played(box, list(CASES.values()))


def test_there_are_enough_attacks_from_each_position() -> None:
    assert len(CASES) >= 120
    assert all(len(stand.cases(position)) >= 10 for position in stand.POSITIONS)
    assert len({case["name"] for case in CASES.values()}) == len(CASES)


@pytest.mark.parametrize("name", CASES)
def test_an_attack_achieves_nothing(results: dict[str, dict[str, Any]], name: str) -> None:
    result = results[CASES[name]["name"]]
    assert result["achieved"] == [], result["said"]
