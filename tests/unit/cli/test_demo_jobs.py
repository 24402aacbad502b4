"""The demo's jobs: what comes to the machine, what is shown, and a job that fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from clup.cli import demo_jobs
from clup.cli.demo_jobs import Ended, entries, run
from clup.cli.screen import Screen
from clup.cli.session import Session
from clup.jobs import client
from clup.jobs.client import FaultError

NAMES = ["audit", "build", "test", "fill", "verify"]


def job(name: str, state: str = "succeeded") -> dict[str, Any]:
    result = {"exit_code": 0, "oom_killed": False, "reason": "", "seconds": 1.25}
    return {"id": "0" * 32, "job": name, "state": state, "finished": "now", "result": result}


class Machine:
    """A session on one machine, and its runner, whose jobs end in the given states."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **states: str):
        self.orders: list[Mapping[str, Any]] = []
        self.failed: list[str] = []
        self.states = states
        monkeypatch.setattr(client, "talk", self._talk)
        monkeypatch.setattr(demo_jobs, "_bring", lambda _box: None)
        deployment = SimpleNamespace(
            alone=lambda _host: nullcontext(), fail=lambda _host, line: self.failed.append(line)
        )
        self.session = cast(
            "Session",
            SimpleNamespace(
                screen=Screen(), exit=0, document={"hosts": {"one": {}}}, deployment=deployment
            ),
        )

    def _talk(self, _host: object, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        if request["do"] == "ask":
            yield {"event": "answer", "body": {"artifacts": [{"name": "made", "bytes": 1}]}}
            return
        self.orders.append(request)
        name = request["job"]
        if self.states.get(name) == "refused":
            raise FaultError({"code": "unknown_job_name", "message": "no job", "problems": []})
        yield {"event": "output", "stream": "stdout", "text": f"{name}\n== fine ==\n\n", "place": 9}
        yield {"event": "job", "job": job(name, self.states.get(name, "succeeded"))}

    def run(self) -> None:
        run(self.session, cast("Any", SimpleNamespace(name="one")), cast("Any", None))


def test_each_job_is_run_and_gets_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(monkeypatch)
    machine.run()
    assert [order["job"] for order in machine.orders] == NAMES
    assert machine.orders[0]["parameters"] == {"repository": "hello"}
    assert machine.orders[3]["parameters"] == {}
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(NAMES)
    assert lines[2].split() == ["audit", "succeeded", "1.2", "s", "fine", "made"]
    jobs = machine.session.document["hosts"]["one"]["jobs"]
    assert [each["job"] for each in jobs] == NAMES
    assert machine.session.exit == 0


def test_a_job_that_fails_fails_the_demo_and_shows_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(monkeypatch, build="failed")
    machine.run()
    assert machine.session.exit == 1
    assert len(machine.orders) == len(NAMES), "the others are run all the same"
    said = capsys.readouterr()
    assert "build 000000000000: failed after 1.2 s" in said.err
    assert said.out.endswith("  build\n  == fine ==\n")


def test_a_job_that_is_not_taken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, test="refused")
    machine.run()
    assert machine.failed == ["one: no job; `clup job list` lists the jobs"]
    assert [each["job"] for each in machine.session.document["hosts"]["one"]["jobs"]] == NAMES[:2]


def test_what_a_job_printed_is_harmless_on_the_screen() -> None:
    assert "\x1b" not in Ended(job("audit"), ["\x1b]0;title\x07"], []).line


def test_a_folder_comes_with_its_modes_and_without_what_python_made(tmp_path: Path) -> None:
    source = tmp_path / "hello"
    (source / "src").mkdir(parents=True)
    (source / "__pycache__").mkdir()
    (source / "__pycache__/x.pyc").write_bytes(b"")
    (source / "src/run.sh").write_bytes(b"#!/bin/sh\n")
    (source / "src/run.sh").chmod(0o775)
    found = {each.path: (oct(each.mode), each.content) for each in entries(source)}
    assert found == {
        "hello": ("0o755", None),
        "hello/src": ("0o755", None),
        "hello/src/run.sh": ("0o755", b"#!/bin/sh\n"),
    }
