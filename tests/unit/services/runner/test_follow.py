"""Output as it comes: to readers that are quick, slow, late, or come back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2

from tests.unit.services.runner.fake_guard import Script
from tests.unit.services.runner.runners import Running
from tests.unit.services.runner.stories import told

TALKS = Script(output=[(0, 1, b"one\n"), (0.4, 2, b"two\n"), (0.4, 1, b"three\n")])
Event = tuple[str, dict[str, Any], str]


async def events(
    client: httpx2.AsyncClient, job: str, most: int = 99, last: str = ""
) -> list[Event]:
    """Return events as name, data and id, until there are no more, or so many."""
    found: list[Event] = []
    path = f"/v1/jobs/{job}/logs?follow=1"
    headers = {"Last-Event-ID": last} if last else {}
    async with client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "event" in fields:
                data = json.loads(fields["data"])
                found.append((fields["event"], data, fields["id"]))
                fields = {}
                if len(found) == most:
                    break
    return found


def test_lines_come_while_the_job_runs(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        job = await it.run("talks")
        first = await events(it.client(), job, most=1)
        assert first == [("output", {"stream": "stdout", "text": "one\n"}, "4")]
        assert (await it.client().get(f"/v1/jobs/{job}")).json()["state"] == "running"
        rest = await events(it.client(), job, last="4")
        assert rest == [
            ("output", {"stream": "stderr", "text": "two\n"}, "8"),
            ("output", {"stream": "stdout", "text": "three\n"}, "14"),
            ("end", {"state": "succeeded", "exit_code": 0, "reason": ""}, "14"),
        ]
        assert [event[0] for event in await events(it.client(), job)] == ["output"] * 3 + ["end"]

    told(tmp_path, story, scripts={"talks": TALKS})


def test_a_job_that_waits_can_be_followed(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        await it.run("talks")
        job = await it.run("talks")
        assert len(await events(it.client(), job)) == 4

    told(tmp_path, story, scripts={"talks": TALKS}, parallel=1)


def test_output_has_a_limit_and_a_mark_there(tmp_path: Path) -> None:
    flood = Script(output=[(0, 1, b"x" * 1023 + b"\n")] * 1500)

    async def story(it: Running) -> None:
        job = await it.run("flood")
        found = await events(it.client(), job, most=10_000)
        text = "".join(data["text"] for name, data, _ in found if name == "output")
        assert len(text) == 1 << 20
        assert [name for name, _, _ in found[-2:]] == ["truncated", "end"]
        assert found[-2][1] == {"bytes": 1 << 20}
        assert (await it.end(job))["result"]["log_truncated"]
        assert found[-1][1]["state"] == "succeeded"

    told(tmp_path, story, scripts={"flood": flood})


def test_places_are_bounded_and_given_back(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        job = await it.run("long")
        path = f"/v1/jobs/{job}/logs?follow=1"
        async with it.client().stream("GET", path) as first:
            assert first.status_code == 200
            answer = await it.client().get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (
                429, "too_many_followers",
            )  # fmt: skip
            async with it.client("operator").stream("GET", path) as other:
                assert other.status_code == 200
        await it.client().post(f"/v1/jobs/{job}/cancel")
        async with asyncio.timeout(20):
            while it.app.state.slots.taken:
                await asyncio.sleep(0.05)

    told(tmp_path, story, scripts={"long": Script(seconds=60)}, followers=4)
