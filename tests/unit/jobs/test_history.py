"""Since when, and the line of a job."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from clup.jobs.history import SinceError, begin, row

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("word", "time"),
    [
        ("30m", "2026-11-21T11:30:00"),
        ("12h", "2026-11-21T00:00:00"),
        ("7d", "2026-11-14T12:00:00"),
        ("2026-11-20", "2026-11-20T00:00:00"),
        ("2026-11-20T09:30", "2026-11-20T09:30:00"),
        ("2026-11-20T09:30+02:00", "2026-11-20T07:30:00"),
    ],
)
def test_a_time_is_one_of_utc(word: str, time: str) -> None:
    assert begin(word, NOW) == time


@pytest.mark.parametrize("word", ["", "7w", "-1d", "yesterday"])
def test_what_says_no_time(word: str) -> None:
    with pytest.raises(SinceError, match="is no time; write 30m"):
        begin(word, NOW)


def test_a_job_is_a_line() -> None:
    job = {
        "created": "2026-11-21T12:00:01.123456Z", "id": "3f2a9c01b7d4" + "0" * 20,
        "state": "failed", "caller": "operator", "job": "audit",
        "parameters": {"depth": 5, "level": "low"},
        "result": {"seconds": 4.24, "reason": "it ended with exit code 3"},
    }  # fmt: skip
    assert row(job) == (
        "2026-11-21T12:00:01Z  3f2a9c01b7d4  failed           4.2 s  operator    audit"
        "  depth=5 level=low  it ended with exit code 3"
    )
