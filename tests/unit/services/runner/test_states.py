from __future__ import annotations

import pytest

from services.runner.states import NEXT, STATES, End, State, is_final, outcome
from services.runner.turns import Waiting, choose

LIMIT = 60

OUTCOMES: dict[str, tuple[End, State, str]] = {
    "well": (End(0), "succeeded", ""),
    "badly": (End(3), "failed", "it ended with exit code 3"),
    "killed by a signal of its own": (End(139), "failed", "it ended with exit code 139"),
    "for memory": (End(137, oom_killed=True), "failed", "more memory"),
    "for memory in a pipe": (End(0, oom_killed=True), "failed", "more memory"),
    "for memory while cancelled": (End(137, oom_killed=True, cancelled=True), "failed", "memory"),
    "for its disk": (End(137, error="disk_full"), "failed", "more disk than it may"),
    "by the guard for its time": (End(143, error="timed_out", seconds=60), "timed_out", "60 s"),
    "well, when told that its time is over": (End(0, error="timed_out"), "timed_out", "60 s"),
    "by the runner for its time": (End(137, timed_out=True, seconds=72), "timed_out", "60 s"),
    "by somebody at its time": (End(143, seconds=59.5), "timed_out", "60 s"),
    "by itself at its time": (End(1, seconds=59.5), "failed", "exit code 1"),
    "as a caller asked": (End(143, cancelled=True, seconds=2), "cancelled", "a caller asked"),
    "well, when a caller asked": (End(0, cancelled=True), "cancelled", "a caller asked"),
    "gone": (End(None), "interrupted", "its container is gone"),
    "gone, while the guard was": (End(None, lost=True), "interrupted", "its container is gone"),
    "with Docker": (End(255, lost=True), "interrupted", "guard or Docker died"),
    "killed while the guard was away": (End(137, lost=True), "interrupted", "guard or Docker"),
    "well while the guard was away": (End(0, lost=True), "succeeded", ""),
    "badly while the guard was away": (End(2, lost=True), "failed", "exit code 2"),
    "killed by an operator": (End(137, seconds=3), "failed", "exit code 137"),
    "never begun": (End(127, error="exec: no such file"), "failed", "exec: no such file"),
}


@pytest.mark.parametrize(("end", "state", "reason"), OUTCOMES.values(), ids=OUTCOMES)
def test_outcomes(end: End, state: State, reason: str) -> None:
    found, why = outcome(end, LIMIT)
    assert found == state
    assert reason in why
    assert bool(why) == (state != "succeeded")


def test_states() -> None:
    assert [state for state in STATES if not is_final(state)] == ["queued", "running"]
    assert set().union(*NEXT.values()) | {"queued"} == set(STATES)


def waiting(*ids: str) -> list[Waiting]:
    """Jobs named by their callers: a1 is a's."""
    return [Waiting(each, each[0]) for each in ids]


TURNS: dict[str, tuple[list[Waiting], dict[str, int], int, str | None]] = {
    "nobody waits": ([], {}, 4, None),
    "the oldest": (waiting("a1", "b1"), {}, 4, "a1"),
    "no room": (waiting("a1"), {"b": 2}, 2, None),
    "the caller has enough": (waiting("a1"), {"a": 2}, 4, None),
    "the next caller": (waiting("a1", "a2", "b1"), {"a": 2}, 4, "b1"),
    "who has less": (waiting("a1", "a2", "b1"), {"a": 1}, 4, "b1"),
    "among equals the oldest": (waiting("b1", "a1"), {"a": 1, "b": 1}, 4, "b1"),
    "a caller that is no more": (waiting("x1", "a1"), {}, 4, "a1"),
}


@pytest.mark.parametrize(("queue", "running", "parallel", "expected"), TURNS.values(), ids=TURNS)
def test_turns(
    queue: list[Waiting], running: dict[str, int], parallel: int, expected: str | None
) -> None:
    chosen = choose(queue, running, {"a": 2, "b": 2}, parallel, {})
    assert (chosen.id if chosen else None) == expected


@pytest.mark.parametrize(
    ("turns", "expected"),
    [({"a": 1}, "b1"), ({"a": 2, "b": 1}, "b1"), ({"a": 1, "b": 2}, "a1")],
    ids=["who had none", "who had it longer ago", "and has the oldest job"],
)
def test_turns_of_callers_with_as_many_running(turns: dict[str, int], expected: str) -> None:
    chosen = choose(waiting("a1", "a2", "b1"), {}, {"a": 2, "b": 2}, 4, turns)
    assert chosen is not None
    assert chosen.id == expected
