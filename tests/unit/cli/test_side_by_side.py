"""How much is begun at a time."""

from __future__ import annotations

import time
from threading import Barrier, Lock

import pytest

from clup.cli.side_by_side import side_by_side

TOGETHER_S = 10


@pytest.mark.parametrize(
    ("loads", "capacity", "most"),
    [
        ([1, 1, 1, 1], 2, 2),
        ([1, 0.5, 0.5, 0.5, 0.5], 2, 2),
        ([3, 3], 2, 3),
        ([0.25] * 6, 2, 1),
        ([], 2, 0),
    ],
)
def test_no_more_run_than_fit_unless_one_alone_is_too_heavy(
    loads: list[float], capacity: float, most: float
) -> None:
    running, seen, lock = [0.0], [0.0], Lock()

    def call(load: float) -> float:
        with lock:
            running[0] += load
            seen.append(running[0])
        time.sleep(0.02)
        with lock:
            running[0] -= load
        return load

    given = [(load, lambda load=load: call(load)) for load in loads]
    assert side_by_side(given, capacity) == loads
    assert max(seen) <= most


def test_what_fits_runs_at_the_same_time() -> None:
    together = Barrier(3)
    calls = [(load, lambda: together.wait(TOGETHER_S)) for load in (1, 0.5, 0.5)]
    assert sorted(side_by_side(calls, 2)) == [0, 1, 2]


def test_a_light_one_overtakes_a_heavy_one_that_does_not_fit() -> None:
    together = Barrier(2)
    calls = [(1.5, lambda: together.wait(TOGETHER_S)), (1.5, lambda: 7)]
    calls.append((0.5, lambda: together.wait(TOGETHER_S)))
    first, second, third = side_by_side(calls, 2)
    assert ({first, third}, second) == ({0, 1}, 7)


def test_what_fails_is_raised_after_the_others() -> None:
    done = []

    def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        side_by_side([(1, fails), (1, lambda: done.append("other"))], 2)
    assert done == ["other"]
