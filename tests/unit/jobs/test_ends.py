"""How a job ended: its exit code and its line."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from clup.cli.job_session import STATES
from clup.jobs.ends import exit_code, summary
from services.runner.states import State

RESULT: dict[str, Any] = {"exit_code": None, "oom_killed": False, "reason": "", "seconds": None}


def job(state: str, **result: Any) -> dict[str, Any]:
    return {"id": "3f2a9c01b7d4" + "0" * 20, "job": "audit", "state": state,
            "result": RESULT | result}  # fmt: skip


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        (job("succeeded", exit_code=0), 0),
        (job("failed", exit_code=3), 3),
        (job("failed", exit_code=124), 124),
        (job("failed", exit_code=255), 255),
        # A failure never gives 0.
        (job("failed", exit_code=0, oom_killed=True), 137),
        (job("failed", exit_code=0), 1),
        (job("failed"), 1),
        (job("error"), 120),
        (job("cancelled", exit_code=143), 121),
        (job("interrupted"), 122),
        (job("timed_out", exit_code=137), 124),
        (job("running"), 125),
        ({"state": "queued", "result": None}, 125),
    ],
)
def test_each_end_has_its_code(ended: dict[str, Any], code: int) -> None:
    assert exit_code(ended) == code


def test_the_states_are_the_runners() -> None:
    assert get_args(State) == STATES


@pytest.mark.parametrize(
    ("ended", "line"),
    [
        (job("succeeded", seconds=4.24), "audit 3f2a9c01b7d4: succeeded after 4.2 s"),
        (
            job("failed", seconds=1.0, reason="it ended with exit code 3", artifacts=2),
            "audit 3f2a9c01b7d4: failed after 1.0 s: it ended with exit code 3; 2 files in"
            f" reports/3f2a9c01b7d4{'0' * 20}/artifacts",
        ),
        (
            job("succeeded", artifacts_refused=["a: is a link"]),
            "audit 3f2a9c01b7d4: succeeded; not collected: a: is a link",
        ),
    ],
)
def test_the_line_about_it(ended: dict[str, Any], line: str) -> None:
    assert summary(ended) == line
