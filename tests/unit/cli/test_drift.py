"""The line about one machine: in order or drifted, and by what."""

from __future__ import annotations

import pytest

from clup.checks import Result
from clup.cli.drift import summary
from clup.managed import Thing
from clup.watch import Operation, Status

GOOD = [Operation("base", f"Do {n}", "unchanged") for n in range(3)]
CHECKS = [Result("base: it holds", "passed"), Result("base: not here", "untestable")]
LEFT = [Thing("account", "bob")]


def operations(status: Status, count: int = 1) -> list[Operation]:
    return [*GOOD, *(Operation("engine", f"Make {n}", status) for n in range(count))]


@pytest.mark.parametrize(
    ("done", "results", "left", "is_in_order", "said"),
    [
        (GOOD, CHECKS, [], True, "in order (3 operations, 1 checks)"),
        (GOOD, CHECKS, LEFT, True, "in order (3 operations, 1 checks), 1 unmanaged: account bob"),
        (
            operations("would change"),
            [Result("base: x is 1", "failed", "2")],
            LEFT,
            False,
            "drifted: 1 change pending, 1 check failed, 1 unmanaged:"
            " engine: Make 0; base: x is 1; account bob",
        ),
        (operations("refused"), CHECKS, [], False, "drifted: 1 refused: engine: Make 0"),
        (
            operations("would change", 7),
            CHECKS,
            [],
            False,
            "drifted: 7 changes pending: engine: Make 0; engine: Make 1; engine: Make 2;"
            " engine: Make 3; engine: Make 4; and 2 more",
        ),
    ],
)
def test_a_machine_is_one_line(
    done: list[Operation], results: list[Result], left: list[Thing], is_in_order: bool, said: str
) -> None:
    assert summary(done, results, left) == (is_in_order, said)
