"""Programs whose output is read as it comes: over their pipes, and the runner's own program."""

from __future__ import annotations

import json
import shlex
import time
from typing import Any

import pytest

from clup.operations import programs
from clup.transport import live


class Here:
    """A machine that is reached without ssh."""

    connector = None


HERE: Any = Here()


def test_lines_come_while_it_runs() -> None:
    found = live.lines(HERE, "read x; echo $x; sleep 1; echo two", b"one\n", 5)
    began = time.monotonic()
    assert next(found) == b"one\n"
    assert time.monotonic() - began < 0.8
    assert list(found) == [b"two\n"]


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(OSError, match=r"^no such luck$"):
        list(live.lines(HERE, "echo first >&2; echo no such luck >&2; exit 3", b"", 5))


def test_a_reader_that_stops_ends_it() -> None:
    found: Any = live.lines(HERE, "echo one; exec sleep 60", b"", 5)
    assert next(found) == b"one\n"
    began = time.monotonic()
    found.close()
    assert time.monotonic() - began < 5


def test_the_program_of_jobs_is_whole_on_the_machine() -> None:
    """It is booted from its zip as on a machine; this one has no runner."""
    request = json.dumps({"do": "ask", "method": "GET", "path": "/v1/jobs"}) + "\n"
    line = shlex.join(programs.words("job"))
    [said] = live.lines(HERE, line, (programs.packed() + request).encode(), 30)
    event = json.loads(said)
    assert (event["event"], event["code"]) == ("fault", "no_runner")
    assert event["message"].startswith("dkr-claw-runner: ")


def test_so_is_the_one_of_audit_records() -> None:
    line = shlex.join(programs.words("audit", "chain"))
    [said] = live.lines(HERE, line, programs.packed().encode(), 30)
    assert json.loads(said)["code"] == "no_records"
