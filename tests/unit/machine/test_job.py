"""The program that asks the runner, before the real one: its application on a real port."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from clup.machine import job
from clup.machine.runner_http import FaultError, Runner
from clup.machine.runner_places import Door
from tests.unit.services.runner.fake_guard import Script
from tests.unit.services.runner.runners import Running, add_job
from tests.unit.services.runner.stories import told

TALKS = Script(output=[(0, 1, b"one\n"), (0.3, 2, b"tw\xc3"), (0.3, 1, b"three\n")], exit_code=3)
Events = list[dict[str, Any]]


def runner_of(it: Running, caller: str = "operator") -> Runner:
    port = int(it.url.rpartition(":")[2])
    return Runner(Door(port, it.root / "data" / "tokens" / caller))


async def done(it: Running, caller: str = "operator", **request: Any) -> Events:
    """Do a request as the program does, beside the runner, and return its events."""
    events: Events = []
    await asyncio.to_thread(job.do, request, runner_of(it, caller), events.append, 1.0, 5.0)
    return events


def run(name: str, key: str = "k", **parameters: str) -> dict[str, Any]:
    return {"do": "run", "job": name, "parameters": parameters, "key": key}


def test_a_job_is_run_and_followed_to_its_end(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        first, *output, end, last = await done(it, **run("talks", level="high", depth="7"))
        assert first["job"]["state"] == "queued"
        assert first["job"]["parameters"] == {"level": "high", "depth": 7}
        assert [each["stream"] for each in output] == ["stdout", "stderr", "stdout"]
        assert [each["place"] for each in output] == [4, 7, 13]
        assert base64.b64decode(output[1]["base64"]) == b"tw\xc3"
        assert (end["event"], end["exit_code"]) == ("end", 3)
        assert (last["event"], last["job"]["state"]) == ("job", "failed")

        rest = await done(it, do="follow", id=first["job"]["id"], after=7)
        assert [each["event"] for each in rest] == ["output", "end", "job"]
        [whole] = await done(it, do="output", id=first["job"]["id"])
        assert base64.b64decode(whole["base64"]) == b"one\ntw\xc3three\n"

    told(tmp_path, story, scripts={"talks": TALKS})


def test_the_same_key_is_the_same_job(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        request = run("quick", "one") | {"detach": True}
        [first], [again], [other] = (
            await done(it, **request),
            await done(it, **request),
            await done(it, **request | {"key": "two"}),
        )
        assert first["job"]["id"] == again["job"]["id"] != other["job"]["id"]

    told(tmp_path, story)


@pytest.mark.parametrize(
    ("caller", "request_", "code", "says"),
    [
        ("operator", run("quikc"), "unknown_job_name", "there are fails, "),
        ("other", run("slow"), "forbidden_job", "there are quick"),
        ("operator", run("quick", depth="99"), "invalid_parameters", "give 1 to 50"),
        ("operator", run("quick", depth="five"), "invalid_parameters", "is no whole number"),
        ("operator", {"do": "follow", "id": "0" * 32}, "unknown_job", ""),
        ("operator", {"do": "output", "id": "0" * 32}, "unknown_job", ""),
    ],
)
def test_what_the_runner_refuses_is_told(
    tmp_path: Path, caller: str, request_: dict[str, Any], code: str, says: str
) -> None:
    async def story(it: Running) -> None:
        add_job(it.root / "data", "slow")
        with pytest.raises(FaultError) as refused:
            await done(it, caller, **request_)
        event = job.told(refused.value)
        assert event["code"] == code
        assert says in " ".join(event["problems"])

    told(tmp_path, story)


def test_a_runner_that_is_away_is_given_up(tmp_path: Path) -> None:
    events: Events = []
    gone = Runner(Door(1, tmp_path / "token"))
    with pytest.raises(FaultError, match="has not answered for 0 s") as refused:
        job.do({"do": "ask", "method": "GET", "path": "/v1/jobs"}, gone, events.append, 0.3)
    assert refused.value.code == "unreachable"
    assert events == [{"event": "broken", "reason": "Connection refused"}]


class Breaking(Runner):
    """A runner whose streams break after each event."""

    def __init__(self, door: Door):
        super().__init__(door)
        self.begun_after: list[int] = []

    def events(self, job_id: str, after: int) -> Any:
        self.begun_after.append(after)
        found: Any = super().events(job_id, after)
        yield next(found)
        found.close()
        if len(self.begun_after) % 2:
            raise ConnectionResetError("cut")


def test_what_breaks_goes_on_where_it_was(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        events: Events = []
        runner = Breaking(runner_of(it)._door)
        await asyncio.to_thread(job.do, run("talks"), runner, events.append, 1.0, 5.0)
        assert runner.begun_after == [0, 4, 7, 13]
        places = [each["place"] for each in events if each["event"] == "output"]
        assert places == [4, 7, 13]
        assert events[-1]["job"]["state"] == "failed"
        reasons = [each["reason"] for each in events if each["event"] == "broken"]
        assert reasons == ["cut", "the runner went away", "cut"]

    told(tmp_path, story, scripts={"talks": TALKS})
