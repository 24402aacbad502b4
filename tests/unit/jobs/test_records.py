from __future__ import annotations

from typing import Any

import pytest

from clup.jobs.records import shown

LINE: dict[str, Any] = {
    "seq": 7, "time": "T", "caller": "gateway", "job": "audit", "parameters": {"depth": 5},
    "state": "cancelled",
}  # fmt: skip
ENDED = {"result": {"exit_code": 143, "reason": "it ended"}}


@pytest.mark.parametrize(
    ("more", "end"),
    [
        ({}, "cancelled"),
        (ENDED, "cancelled, exit code 143: it ended"),
        (
            ENDED | {"cancelled_by": "operator"},
            "cancelled (operator asked for its end), exit code 143: it ended",
        ),
    ],
)
def test_an_audit_line_for_people(more: dict[str, Any], end: str) -> None:
    assert shown(LINE | more) == f"     7  T  gateway: audit depth=5  {end}"
