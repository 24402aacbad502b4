"""Attacks through the runner: by the holder of a token, by the writer of a repository.

Whether an attack has succeeded is read from the host: Docker's events, and what lies on its disks.
Beside the sound runner, runners and guards that are weaker in one place each must be caught.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from clup import lab
from tests.attacks import stand
from tests.attacks.caught import GUARDS_CAUGHT_THROUGH_THE_RUNNER, RUNNERS_CAUGHT_BY

CASES = {case["name"]: case for case in stand.every_case(stand.BEFORE_THE_RUNNER)}


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with stand.machine("attacks-callers", "guard", "runner", "toolbox") as box:
        stand.guard(box)
        yield box


@pytest.fixture(scope="module")
def results(box: lab.Lab) -> dict[str, dict[str, Any]]:
    stand.runner(box)
    return stand.played(box, list(CASES.values()))


@pytest.mark.parametrize("name", CASES)
def test_an_attack_achieves_nothing(results: dict[str, dict[str, Any]], name: str) -> None:
    assert results[name].get("achieved") == [], results[name]["said"]


@pytest.mark.parametrize(("name", "attack"), RUNNERS_CAUGHT_BY.items())
def test_a_weaker_runner_is_caught(box: lab.Lab, name: str, attack: str) -> None:
    stand.runner(box, f"-m tests.attacks.weakened_runner {name}")
    assert stand.played(box, [CASES[attack]])[attack]["achieved"] != []


@pytest.mark.parametrize(("name", "attack"), GUARDS_CAUGHT_THROUGH_THE_RUNNER.items())
def test_a_weaker_guard_is_caught_through_the_runner(box: lab.Lab, name: str, attack: str) -> None:
    stand.guard(box, f"-m tests.attacks.weakened {name}")
    stand.runner(box)
    assert stand.played(box, [CASES[attack]])[attack]["achieved"] != []
