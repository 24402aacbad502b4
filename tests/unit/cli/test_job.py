"""Commands about jobs, from their words to the exit code: before a machine that says events."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from clup.cli import job_watch, main
from clup.cli.session import Session
from clup.jobs import client
from clup.jobs.client import FaultError

ID = "3f2a9c01b7d4" + "0" * 20
RESULT = {"exit_code": 0, "oom_killed": False, "reason": "", "seconds": 1.0}
ARGUMENTS = ["inventories/example.py", "level=high"]
Requests = list[Mapping[str, Any]]


def job(state: str = "queued", **result: Any) -> dict[str, Any]:
    over = state not in ("queued", "running")
    return {
        "id": ID, "job": "audit", "caller": "operator", "parameters": {}, "state": state,
        "created": "2026-11-21T12:00:01Z", "finished": "later" if over else None,
        "result": RESULT | result if over else None,
    }  # fmt: skip


def says(text: str, place: int, stream: str = "stdout") -> dict[str, Any]:
    return {"event": "output", "stream": stream, "text": text, "place": place}


QUEUED = {"event": "job", "job": job()}
END = {"event": "end", "place": 8}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Requests]:
    """Give what has the machine answer with lists of events, one after the other: an exception
    among them is raised. Return the requests that it got."""

    def connect(session: Session, changes: bool) -> None:
        for host in session.deployment.hosts:
            session.deployment.state.activate_host(host)

    def answering(*answers: list[Any]) -> Requests:
        got: Requests = []
        left = iter(answers)

        def talk(_host: object, request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
            got.append(request)
            for event in next(left):
                if isinstance(event, BaseException):
                    raise event
                yield event

        monkeypatch.setattr(client, "talk", talk)
        return got

    monkeypatch.setattr(Session, "connect", connect)
    monkeypatch.setattr("clup.jobs.client.again.reconnect", lambda _host, _seconds: None)
    return answering


def ended(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["job", *words])
    assert isinstance(end.value.code, int)
    return end.value.code


def test_a_job_gives_its_output_and_its_exit_code(
    machine: Callable[..., Requests], capsys: pytest.CaptureFixture[str]
) -> None:
    last = {"event": "job", "job": job("failed", exit_code=3, reason="it ended with exit code 3")}
    got = machine([QUEUED, says("out\n", 4), says("err\n", 8, "stderr"), END, last])
    assert ended("run", "audit", *ARGUMENTS, "--param", "depth=5") == 3
    assert {**got[0], "key": ""} == {
        "do": "run", "job": "audit", "parameters": {"depth": "5", "level": "high"},
        "detach": False, "key": "",
    }  # fmt: skip
    said = capsys.readouterr()
    assert said.out == "out\n"
    assert "err\n" in said.err
    assert said.err.endswith("audit 3f2a9c01b7d4: failed after 1.0 s: it ended with exit code 3\n")


def test_the_document_has_the_job_and_no_output(
    machine: Callable[..., Requests], capsys: pytest.CaptureFixture[str]
) -> None:
    machine([QUEUED, says("out\n", 4), END, {"event": "job", "job": job("timed_out")}])
    assert ended("run", "audit", *ARGUMENTS, "--json") == 124
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert (document["command"], document["exit"]) == ("job run", 124)
    assert document["hosts"]["claw-vm"]["job"]["state"] == "timed_out"
    assert "out\n" in said.err


def test_a_connection_that_breaks_is_made_again_where_it_was(
    machine: Callable[..., Requests], capsys: pytest.CaptureFixture[str]
) -> None:
    done = {"event": "job", "job": job("succeeded")}
    got = machine(
        [ConnectionError("gone")],
        [QUEUED, says("one\n", 4), ConnectionError("gone")],
        [says("two\n", 8), END, done],
    )
    assert ended("run", "audit", *ARGUMENTS) == 0
    assert capsys.readouterr().out == "one\ntwo\n"
    assert got[0] == got[1]
    assert got[2] == {"do": "follow", "id": ID, "after": 4}


def test_what_the_runner_refuses_is_no_exit_code_of_a_job(
    machine: Callable[..., Requests], capsys: pytest.CaptureFixture[str]
) -> None:
    event = {"code": "unknown_job_name", "message": "there is no job x", "cure": "GET /v1/x"}
    machine([FaultError(event | {"problems": ["there are a"]})])
    assert ended("run", "x", *ARGUMENTS, "--json") == 123
    said = capsys.readouterr()
    line = "there is no job x; there are a; `clup job list` lists the jobs"
    document = json.loads(said.out)
    assert document["hosts"]["claw-vm"]["errors"] == [line]
    assert document["fault"] == {"code": "unknown_job_name", "problems": ["there are a"]}
    assert said.err.endswith(f"claw-vm: {line}\n")


@pytest.mark.parametrize("broken", [FaultError({"code": "unreachable", "message": "away",
                                                "problems": []}), OSError("away")])  # fmt: skip
def test_a_job_that_is_lost_from_sight_goes_on(
    machine: Callable[..., Requests], capsys: pytest.CaptureFixture[str], broken: Exception
) -> None:
    machine([QUEUED, says("one\n", 4), broken])
    assert ended("run", "audit", *ARGUMENTS) == 125
    said = capsys.readouterr().err
    assert f"`clup job logs {ID} inventories/example.py --follow` comes back to it" in said
    assert "claw-vm: away" in said


def test_ctrl_c_leaves_the_job(
    machine: Callable[..., Requests], capsys: pytest.CaptureFixture[str]
) -> None:
    got = machine([QUEUED, says("one\n", 4), KeyboardInterrupt()])
    assert ended("run", "audit", *ARGUMENTS, "--json") == 130
    document = json.loads(capsys.readouterr().out)
    assert document["error"] == (
        f"the job goes on; `clup job logs {ID} inventories/example.py --follow` comes back to it,"
        f" `clup job cancel {ID} inventories/example.py` ends it"
    )
    assert document["hosts"]["claw-vm"]["job"]["id"] == ID
    assert len(got) == 1


def test_ctrl_c_before_there_is_a_job_tells_where_to_look(
    machine: Callable[..., Requests], capsys: pytest.CaptureFixture[str]
) -> None:
    machine([KeyboardInterrupt()])
    assert ended("run", "audit", *ARGUMENTS) == 130
    assert "whether the job was taken, `clup job history inventories" in capsys.readouterr().err


def test_who_is_asked_may_end_the_job(
    machine: Callable[..., Requests], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_watch, "is_terminal", lambda: True)
    monkeypatch.setattr("clup.cli.job_watch.click.confirm", lambda *_, **__: True)
    got = machine(
        [QUEUED, says("one\n", 4), KeyboardInterrupt()],
        [{"event": "answer", "body": job("running")}],
        [END, {"event": "job", "job": job("cancelled")}],
    )
    assert ended("run", "audit", *ARGUMENTS) == 121
    assert got[1] == {"do": "ask", "method": "POST", "path": f"/v1/jobs/{ID}/cancel"}
    assert got[2] == {"do": "follow", "id": ID, "after": 4}


def test_detached_its_id_is_the_answer(
    machine: Callable[..., Requests], capsys: pytest.CaptureFixture[str]
) -> None:
    machine([QUEUED])
    assert ended("run", "audit", *ARGUMENTS, "--detach") == 0
    assert capsys.readouterr().out == f"{ID}\n"


def answers(*jobs: dict[str, Any], before: int | None = None) -> list[Any]:
    return [{"event": "answer", "body": {"jobs": list(jobs), "before": before}}]


def test_history_reads_on_until_it_has_what_was_asked_for(
    machine: Callable[..., Requests], capsys: pytest.CaptureFixture[str]
) -> None:
    other = job("failed") | {"caller": "gateway"}
    old = job("failed") | {"created": "2026-11-20T00:00:00Z"}
    got = machine(answers(other, other, before=5), answers(job("failed"), old, before=3))
    words = ["--state", "failed", "--caller", "operator", "--since", "2026-11-21"]
    assert ended("history", "inventories/example.py", *words) == 0
    out = capsys.readouterr().out.splitlines()
    assert [len(out), out[-1]] == [2, "claw-vm: 1 jobs"]
    assert [request["path"] for request in got] == [
        "/v1/jobs?limit=200&state=failed",
        "/v1/jobs?limit=200&before=5&state=failed",
    ]


def test_the_beginning_of_an_id_is_enough(
    machine: Callable[..., Requests], capsys: pytest.CaptureFixture[str]
) -> None:
    done = {"event": "answer", "body": job("cancelled")}
    got = machine(answers(job("running")), [{"event": "answer", "body": job("running")}], [done])
    assert ended("cancel", "3f2a", "inventories/example.py") == 0
    assert [request["path"] for request in got[1:]] == [
        f"/v1/jobs/{ID}/cancel", f"/v1/jobs/{ID}?wait=30",
    ]  # fmt: skip
    assert capsys.readouterr().out == "audit 3f2a9c01b7d4: cancelled after 1.0 s\n"


@pytest.mark.parametrize(
    ("begun", "said"),
    [
        ("3f2", "3f2: is too short; type 4 characters or more"),
        ("4444", "4444: none of the newest jobs begins so"),
        ("3f2a", "3f2a: 2 jobs begin so"),
    ],
)
def test_a_beginning_that_names_no_job(
    machine: Callable[..., Requests],
    capsys: pytest.CaptureFixture[str],
    begun: str,
    said: str,
) -> None:
    both = answers(job(), job() | {"id": "3f2a" + "1" * 28})
    machine(both, both)
    assert ended("logs", begun, "inventories/example.py") == 1
    assert f"claw-vm: {said}; `clup job history` lists them" in capsys.readouterr().err
    assert ended("logs", begun, "inventories/example.py", "--follow") == 123


def test_what_there_is_to_run(
    machine: Callable[..., Requests], capsys: pytest.CaptureFixture[str]
) -> None:
    schema = {
        "properties": {
            "level": {"type": "string", "enum": ["low", "high"], "default": "low"},
            "depth": {"type": "integer", "minimum": 1, "maximum": 50, "description": "how deep"},
            "ref": {"type": "string", "pattern": "^(?:[a-z]{1,4})$"},
        },
        "required": ["depth", "ref"],
    }
    entry = {"name": "audit", "description": "Lint", "seconds": 60, "parameters": schema}
    catalogue = {"event": "answer", "body": {"jobs": [entry], "digest": ""}}
    machine([catalogue], answers(job("running")), answers())
    assert ended("list", "inventories/example.py") == 0
    assert capsys.readouterr().out.splitlines() == [
        "audit: Lint (60 s at most)",
        "  level=low|high, low by default",
        "  depth=1 to 50: how deep",
        "  ref=[a-z]{1,4}",
        "claw-vm: 1 jobs to run, 1 run or wait",
        "  audit 3f2a9c01b7d4: running",
    ]


@pytest.mark.parametrize(
    "words",
    [["run"], ["run", "audit", "a", "b"], ["run", "audit", "A=1"], ["history", "--since", "soon"]],
)
def test_wrong_usage_is_64(words: list[str]) -> None:
    assert ended(*words) == 64
