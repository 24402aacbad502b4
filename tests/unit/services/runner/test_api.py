"""The application as its callers have it: over HTTP, to the guard and back."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import httpx2

from services.audit.verify import Seen, files, verify
from tests.unit.services.runner.fake_guard import FakeGuard, Script
from tests.unit.services.runner.runners import IMAGE, Running, token
from tests.unit.services.runner.stories import SCRIPTS, told, until


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


def test_the_audit_tells_who_ended_anothers_job(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        runs, waits = await it.run("long"), await it.run("long")
        await until(lambda: runs in it.guard.started)
        for job in (waits, runs):
            await it.client("operator").post(f"/v1/jobs/{job}/cancel")
        await it.end(runs)
        await until(lambda: it.app.state.workshop.exporter.exported == 5)

    told(tmp_path, story, parallel=1)
    content = b"".join(data for _, data in files(tmp_path / "data/audit"))
    ends = [line for line in map(json.loads, content.splitlines()) if line["state"] == "cancelled"]
    assert [(line["caller"], line["cancelled_by"]) for line in ends] == [
        ("gateway", "operator"), ("gateway", "operator"),
    ]  # fmt: skip
    assert verify(files(tmp_path / "data/audit")).findings == ()


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


def test_figures(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        await it.ran("quick")
        text = (await it.client().get("/metrics")).text
        assert 'runner_jobs_accepted_total{caller="gateway",job="quick"} 1.0' in text
        assert 'runner_jobs_ended_total{job="quick",state="succeeded"} 1.0' in text
        assert "runner_guard_up 1.0" in text

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


def test_waiting_ends_with_the_job(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        job = await it.run("brief")
        started = time.monotonic()
        answer = await it.client().get(f"/v1/jobs/{job}?wait=20")
        assert answer.json()["state"] == "succeeded"
        assert time.monotonic() - started < 5
        assert (await it.client().get(f"/v1/jobs/{job}?wait=61")).status_code == 400

    told(tmp_path, story, scripts={"brief": Script(seconds=0.3)})
