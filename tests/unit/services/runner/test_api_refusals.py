"""What the application refuses its callers, and in which words."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from services.runner import asking
from tests.unit.services.runner.fake_guard import Script
from tests.unit.services.runner.runners import Running, add_caller
from tests.unit.services.runner.stories import told, until

REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "an unknown job": ({"job": "nothing"}, 404, "unknown_job_name"),
    "a name that is none": ({"job": "../x"}, 400, "invalid_request"),
    "no job": ({}, 400, "invalid_request"),
    "another key": ({"job": "quick", "image": "x"}, 400, "invalid_request"),
    "another value": ({"job": "quick", "parameters": {"depth": 51}}, 422, "invalid_parameters"),
    "an unknown parameter": ({"job": "quick", "parameters": {"x": 1}}, 422, "invalid_parameters"),
    "a shell": ({"job": "quick", "parameters": {"level": "$(id)"}}, 422, "invalid_parameters"),
    "a list": ({"job": "quick", "parameters": {"level": ["low"]}}, 400, "invalid_request"),
    "true": ({"job": "quick", "parameters": {"depth": True}}, 400, "invalid_request"),
    "half a letter": ({"job": "quick", "parameters": {"level": "\ud800"}}, 400, "invalid_request"),
}


def test_what_is_refused(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        for name, (body, status, code) in REFUSED.items():
            answer = await it.client().post(
                "/v1/jobs/run",
                content=json.dumps(body),
                headers={"Content-Type": "application/json"},
            )
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), name
            assert set(answer.json()["error"]) == {"code", "message", "cure", "problems"}
        assert it.guard.started == {}

    told(tmp_path, story)


TOKENS = ("ghp_" + "a1" * 18, "AKIA" + "A1" * 8, "sk-proj-" + "a1" * 20, "xoxb-" + "1" * 12)
BRANCH = "feature-sk-localization-for-slovak-users"


def test_no_parameter_that_looks_like_a_secret_is_stored(tmp_path: Path) -> None:
    """Though the job's own pattern takes it; nor is it repeated to whoever sent it."""
    takes = "parameters:\n  ref: {kind: pattern, pattern: '[a-zA-Z0-9_-]{1,60}'}\n"

    async def story(it: Running) -> None:
        file = tmp_path / "data/jobs/takes.yaml"
        file.write_text(file.read_text().replace("parameters:\n", takes))
        for token in TOKENS:
            for given in ({"ref": token}, {"level": token, "ref": "main"}):
                body = {"job": "takes", "parameters": given}
                answer = await it.client().post("/v1/jobs/run", json=body)
                said = answer.json()["error"]
                assert (answer.status_code, said["code"]) == (400, "secret_parameter")
                [problem] = said["problems"]
                assert problem.startswith(f"At parameters.{next(iter(given))}: holds what looks")
                assert "audit" in said["cure"]
                assert token not in answer.text
        ended = await it.ran("takes", parameters={"ref": BRANCH})
        assert (ended["state"], ended["parameters"]["ref"]) == ("succeeded", BRANCH)
        assert len(it.guard.started) == 1

    told(tmp_path, story, scripts={"takes": Script()})
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert BRANCH.encode() in kept
    assert [token for token in TOKENS if token.encode() in kept] == []


BODIES = {
    "no JSON": (b"{", 400),
    "deep": (b"[" * 60_000, 400),
    "a long number": (b'{"job":"quick","parameters":{"depth":' + b"9" * 5000 + b"}}", 400),
    "large": (b"x" * 70_000, 413),
    "no object": (b"[]", 400),
    "nothing": (b"", 400),
    "no UTF-8": (b'{"job":"\xff"}', 400),
}


def test_bodies_that_are_refused(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        headers = {"Content-Type": "application/json"}
        for name, (body, status) in BODIES.items():
            answer = await it.client().post("/v1/jobs/run", content=body, headers=headers)
            assert (answer.status_code, "cure" in answer.json()["error"]) == (status, True), name

    told(tmp_path, story)


def test_who_is_let_in(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        own = await it.run("quick")
        paths = ("/v1/jobs", f"/v1/jobs/{own}", "/v1/catalogue", "/metrics", f"/v1/jobs/{own}/logs")
        async with httpx2.AsyncClient(base_url=it.url, trust_env=False) as nobody:
            for path in paths:
                for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp4"}):
                    answer = await nobody.get(path, headers=headers)
                    assert answer.status_code == 401, path
                    assert answer.json()["error"]["code"] == "unauthorized"
        other = it.client("other")
        for path in (f"/v1/jobs/{own}", f"/v1/jobs/{own}/logs", f"/v1/jobs/{own}/artifacts"):
            absent = await other.get(path.replace(own, "0" * 32))
            answer = await other.get(path)
            assert answer.status_code == absent.status_code == 404
            assert answer.json()["error"]["code"] == absent.json()["error"]["code"]
        assert (await other.post(f"/v1/jobs/{own}/cancel")).status_code == 404
        assert (await other.get("/v1/jobs")).json()["jobs"] == []
        assert (await other.post("/v1/jobs/run", json={"job": "long"})).status_code == 403
        listed = (await other.get("/v1/catalogue")).json()["jobs"]
        assert [job["name"] for job in listed] == ["quick"]
        seen = (await it.client("operator").get("/v1/jobs")).json()["jobs"]
        assert [job["id"] for job in seen] == [own]

    told(tmp_path, story)


def test_a_get_does_not_run(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        answer = await it.client().get("/v1/jobs/run")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert "POST /v1/jobs/run with" in answer.json()["error"]["cure"]

    told(tmp_path, story)


def test_limits_of_callers(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        add_caller(tmp_path / "data", "other", parallel=1, queued=2)
        first = await it.run("long", "other")
        await until(lambda: first in it.guard.started)
        await it.run("long", "other")
        await it.run("long", "other")
        answer = await it.client("other").post("/v1/jobs/run", json={"job": "long"})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
        assert answer.json()["error"]["code"] == "queue_full"
        assert (await it.ran("quick"))["state"] == "succeeded"
        assert it.guard.started.keys() >= {first}
        assert len(it.guard.started) == 2

    told(tmp_path, story, parallel=2)


def test_jobs_that_are_cancelled_at_once_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "HOURLY", 3)

    async def story(it: Running) -> None:
        for _ in range(3):
            await it.client().post(f"/v1/jobs/{await it.run('long')}/cancel")
        answer = await it.client().post("/v1/jobs/run", json={"job": "long"})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
        assert answer.json()["error"]["code"] == "too_many_jobs"
        assert (await it.ran("quick", caller="operator"))["state"] == "succeeded"

    told(tmp_path, story)


def test_no_more_than_may_run_at_a_time(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        jobs = await asyncio.gather(*[it.run("brief") for _ in range(6)])
        for job in jobs:
            assert (await it.end(job))["state"] == "succeeded"
        assert it.guard.most_running == 3
        assert set(it.guard.started.values()) == {1}

    told(tmp_path, story, scripts={"brief": Script(seconds=0.5)}, parallel=3)


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/jobs/x", "/v1/jobs/run/x", "/docs", "/v1/exec"])
def test_what_is_not_there(tmp_path: Path, path: str) -> None:
    async def story(it: Running) -> None:
        answer = await it.client().get(path)
        assert answer.status_code in (400, 404)
        assert answer.json()["error"]["cure"]

    told(tmp_path, story)
