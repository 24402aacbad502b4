"""Guards that are weaker in one place each, which the attacks must catch.

And the sound one, judged by the invariants that hold for every container.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clup import lab
from clup.compose.stack import judge_container
from tests.attacks import stand
from tests.attacks.caught import CAUGHT_BY


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with stand.machine("weakened", "guard") as box:
        yield box


@pytest.mark.parametrize(("name", "attack"), CAUGHT_BY.items())
def test_a_weaker_guard_is_caught(box: lab.Lab, name: str, attack: str) -> None:
    stand.guard(box, f"-m tests.attacks.weakened {name}")
    case = next(case for case in stand.every_case() if case["name"] == attack)
    assert stand.played(box, [case])[attack]["achieved"] != []


def test_what_the_guard_makes_breaks_no_invariant(box: lab.Lab) -> None:
    stand.guard(box)
    case = {"name": "x", "position": "hostile runner", "steps": [{"create": "sh"}], "shows": True}
    container = stand.played(box, [case])["x"]["container"]
    assert judge_container(container) == []
