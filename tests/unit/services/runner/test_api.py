"""The application as its callers have it: over HTTP, to the guard and back."""

from __future__ import annotations

import asyncio
import json
import tarfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from services.audit.verify import Seen, files, verify
from services.runner import health, routes
from services.runner.records import Record
from services.runner.store import Store, StoreError
from tests.unit.services.runner.fake_guard import FakeGuard, Script
from tests.unit.services.runner.runners import (
    IMAGE,
    Running,
    add_caller,
    add_job,
    running,
    token,
)
from tests.unit.services.runner.test_artifacts import FILE, tar

HELLO = Script(output=[(0, 1, b"hello\n"), (0, 2, b"oh\n")])
LONG = Script(seconds=60)
ARTIFACTS = Script(
    archive=tar([("artifacts/a/b.txt", FILE, b"one"), ("artifacts/l", tarfile.SYMTYPE, "/etc")])
)
SCRIPTS = {
    "quick": HELLO,
    "long": LONG,
    "fails": Script(exit_code=3),
    "hungry": Script(oom_killed=True),
    "leaves": ARTIFACTS,
    "short": LONG,
}


def told(
    root: Path,
    story: Callable[[Running], Awaitable[None]],
    seconds_allowed: float = 60,
    **options: Any,
) -> None:
    """Have a runner up, and a story happen to it within its time."""

    async def whole() -> None:
        options.setdefault("scripts", SCRIPTS)
        async with asyncio.timeout(seconds_allowed), running(root, **options) as it:
            await story(it)

    asyncio.run(whole())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


def test_a_job_is_run(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        ended = await it.ran(parameters={"level": "high", "depth": 7})
        assert (ended["state"], ended["caller"], ended["image"]) == ("succeeded", "gateway", IMAGE)
        assert ended["result"]["exit_code"] == 0
        assert ended["parameters"] == {"level": "high", "depth": 7}
        assert ended["result"]["usage"] == {"memory_bytes": 4096}
        answer = await it.client().get(f"/v1/jobs/{ended['id']}/logs")
        assert (answer.text, answer.headers["content-type"]) == (
            "hello\noh\n", "text/plain; charset=utf-8",
        )  # fmt: skip
        await until(lambda: it.guard.containers == {})
        report = tmp_path / "data/reports" / ended["id"] / "report.json"
        assert '"state": "succeeded"' in report.read_text(encoding="utf-8")

    told(tmp_path, story)


ENDS = {
    "fails": ("failed", "exit code 3"),
    "hungry": ("failed", "more memory than it may"),
    "short": ("timed_out", "longer than the 1 s"),
}


def test_how_jobs_end(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        ended = await asyncio.gather(*map(it.ran, ENDS))
        for job, (state, reason) in zip(ended, ENDS.values(), strict=True):
            assert job["state"] == state
            assert reason in job["result"]["reason"]

    told(tmp_path, story, seconds={"short": 1})


def test_artifacts(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        job = await it.ran("leaves")
        assert (job["result"]["artifacts"], job["result"]["artifacts_bytes"]) == (1, 3)
        refused = ["artifacts/l: is no regular file but a symbolic link"]
        assert job["result"]["artifacts_refused"] == refused
        path = f"/v1/jobs/{job['id']}/artifacts"
        listed = await it.client().get(path)
        assert listed.json() == {"artifacts": [{"name": "a/b.txt", "bytes": 3}]}
        assert (await it.client().get(f"{path}/a/b.txt")).text == "one"
        for other in ("../report.json", "a", "l", "%2e%2e/log", "/etc/passwd"):
            assert (await it.client().get(f"{path}/{other}")).status_code == 404

    told(tmp_path, story)


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


def test_cancelling(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        runs, waits = await it.run("long"), await it.run("long")
        await until(lambda: runs in it.guard.started)
        answer = await it.client().post(f"/v1/jobs/{waits}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
        answer = await it.client().post(f"/v1/jobs/{runs}/cancel")
        assert answer.json()["cancelling"]
        assert (await it.end(runs))["state"] == "cancelled"
        assert (await it.client().post(f"/v1/jobs/{runs}/cancel")).json()["state"] == "cancelled"
        assert it.guard.started == {runs: 1}

    told(tmp_path, story, parallel=1)


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


def test_no_more_than_may_run_at_a_time(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        jobs = await asyncio.gather(*[it.run("brief") for _ in range(6)])
        for job in jobs:
            assert (await it.end(job))["state"] == "succeeded"
        assert it.guard.most_running == 3
        assert set(it.guard.started.values()) == {1}

    told(tmp_path, story, scripts={"brief": Script(seconds=0.5)}, parallel=3)


def test_idempotency_keys(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        async def ask(key: str, job: str = "quick") -> httpx2.Response:
            return await it.client().post(
                "/v1/jobs/run", json={"job": job}, headers={"Idempotency-Key": key}
            )

        answers = await asyncio.gather(*[ask("k-1") for _ in range(5)])
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        conflict = await ask("k-1", "long")
        assert conflict.status_code == 409
        assert conflict.json()["error"]["code"] == "idempotency_key_reused"
        assert (await ask("x" * 129)).status_code == 400
        await it.end(answers[0].json()["id"])
        assert len(it.guard.started) == 1

    told(tmp_path, story)


def test_the_list_goes_on(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        jobs = [await it.run("quick") for _ in range(5)]
        first = (await it.client().get("/v1/jobs?limit=3")).json()
        rest = (await it.client().get(f"/v1/jobs?limit=3&before={first['before']}")).json()
        assert [job["id"] for job in first["jobs"] + rest["jobs"]] == jobs[::-1]
        assert rest["before"] is None
        await asyncio.gather(*map(it.end, jobs))
        assert (await it.client().get("/v1/jobs?state=queued")).json()["jobs"] == []

    told(tmp_path, story)


def test_health_is_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_SECONDS", 0)

    async def story(it: Running) -> None:
        async def healthz() -> httpx2.Response:
            async with httpx2.AsyncClient(trust_env=False) as nobody:
                return await nobody.get(f"{it.url}/healthz")

        answer = await healthz()
        assert answer.status_code == 200
        assert answer.json() == {
            "ok": True,
            "service": "openclaw-runner",
            "time_utc": answer.json()["time_utc"],
            "docker_host": f"tcp://127.0.0.1:{it.port}",
            "data_dir": str(tmp_path / "data"),
            "cache_dir": str(tmp_path / "cache"),
        }
        it.guard.is_docker_down = True
        answer = await healthz()
        assert (answer.status_code, answer.json()["ok"]) == (503, False)
        assert answer.json()["reason"] == "the guard cannot help now: Docker does not answer"
        it.guard.is_docker_down = False
        it.guard.catalogue = "other"
        (tmp_path / "data/tokens/gateway").chmod(0o644)
        answer = await healthz()
        assert answer.json()["ok"]
        assert "can be read by others" in answer.json()["problems"][0]
        assert "different job files" in answer.json()["problems"][1]
        (tmp_path / "key").write_text("wrong", encoding="ascii")
        assert "does not take the runner's key" in (await healthz()).json()["reason"]

    told(tmp_path, story)


def test_a_broken_job_file_leaves_the_old_jobs(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        (tmp_path / "data/jobs/quick.yaml").write_text("job: quick\n", encoding="ascii")
        assert (await it.ran("quick"))["state"] == "succeeded"
        async with httpx2.AsyncClient(trust_env=False) as nobody:
            problems = (await nobody.get(f"{it.url}/healthz")).json()["problems"]
        assert any("quick.yaml" in problem for problem in problems)
        add_job(tmp_path / "data", "quick")
        add_job(tmp_path / "data", "fresh")
        it.guard.scripts["fresh"] = Script()
        assert (await it.ran("fresh"))["state"] == "succeeded"

    told(tmp_path, story)


def test_what_the_guard_refuses_is_an_error(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        it.guard.refusals["create"] = (422, "the parameters do not fit")
        job = await it.ran("quick")
        assert job["state"] == "error"
        assert "the guard refuses it: the parameters do not fit" in job["result"]["reason"]
        it.guard.refusals = {"start": (424, "the image is not on this machine")}
        job = await it.ran("quick")
        assert job["state"] == "error"
        assert "could not be started: the image is not" in job["result"]["reason"]
        await until(lambda: it.guard.containers == {})

    told(tmp_path, story)


def test_a_failure_of_its_own_has_the_same_shape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    async def story(it: Running) -> None:
        monkeypatch.setattr(routes, "job_view", fail)
        answer = await it.client().post("/v1/jobs/run", json={"job": "quick"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "failure")
        assert "secret" not in answer.text

    told(tmp_path, story)


def test_a_disk_that_is_full_when_a_job_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals = iter(range(2))
    begin = Store.begin

    def full(store: Store, job_id: str, image: str) -> Record | None:
        if next(refusals, None) is not None:
            raise StoreError("disk full")
        return begin(store, job_id, image)

    async def story(it: Running) -> None:
        monkeypatch.setattr(Store, "begin", full)
        job = await it.ran("quick")
        assert (job["state"], it.guard.started) == ("succeeded", {job["id"]: 1})

    told(tmp_path, story)


def test_figures(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        await it.ran("quick")
        text = (await it.client().get("/metrics")).text
        assert 'runner_jobs_accepted_total{caller="gateway",job="quick"} 1.0' in text
        assert 'runner_jobs_ended_total{job="quick",state="succeeded"} 1.0' in text
        assert "runner_guard_up 1.0" in text

    told(tmp_path, story)


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        db = it.app.state.workshop.desk._store._db
        db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
        answers = [await it.client().post("/v1/jobs/run", json={"job": "long"}) for _ in range(40)]
        assert {answer.status_code for answer in answers} == {202, 503}
        assert answers[-1].json()["error"]["code"] == "storage"
        assert "retry-after" in answers[-1].headers

    told(tmp_path, story)


def test_the_audit_chain_of_all_that(tmp_path: Path) -> None:
    guard = FakeGuard(SCRIPTS)

    async def story(it: Running) -> None:
        await asyncio.gather(*[it.ran(job) for job in ("quick", "fails", "hungry")])

    told(tmp_path, story, guard=guard)
    told(tmp_path, story, guard=guard)

    async def nothing(it: Running) -> None:
        await until(lambda: it.app.state.workshop.exporter.exported == 18)

    told(tmp_path, nothing, guard=guard)
    verdict = verify(files(tmp_path / "data/audit"), [Seen(*each) for each in guard.heads])
    assert (verdict.lines, verdict.findings) == (18, ())
    content = b"".join(data for _, data in files(tmp_path / "data/audit"))
    assert token("gateway").encode() not in content


def test_old_logs_are_gone_and_said_to_be(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        job = await it.ran("quick")
        (tmp_path / "data/reports" / job["id"] / "log").unlink()
        answer = await it.client().get(f"/v1/jobs/{job['id']}/logs")
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "log_removed")

    told(tmp_path, story)


def test_waiting_ends_with_the_job(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        job = await it.run("brief")
        started = time.monotonic()
        answer = await it.client().get(f"/v1/jobs/{job}?wait=20")
        assert answer.json()["state"] == "succeeded"
        assert time.monotonic() - started < 5
        assert (await it.client().get(f"/v1/jobs/{job}?wait=61")).status_code == 400

    told(tmp_path, story, scripts={"brief": Script(seconds=0.3)})


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/jobs/x", "/v1/jobs/run/x", "/docs", "/v1/exec"])
def test_what_is_not_there(tmp_path: Path, path: str) -> None:
    async def story(it: Running) -> None:
        answer = await it.client().get(path)
        assert answer.status_code in (400, 404)
        assert answer.json()["error"]["cure"]

    told(tmp_path, story)
