"""What the application says when something around it is broken, full or gone."""

from __future__ import annotations

import errno
from pathlib import Path

import httpx2
import pytest

from services.runner import health, routes
from services.runner.reports import Reports
from services.runner.store import Store, StoreError
from tests.unit.services.runner.fake_guard import Script
from tests.unit.services.runner.runners import Running, add_job
from tests.unit.services.runner.stories import told, until


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


FULL: dict[str, tuple[type, str, Exception]] = {
    "it begins": (Store, "begin", StoreError("disk full")),
    "it gets its folder": (Reports, "make", OSError(errno.ENOSPC, "No space left on device")),
}


@pytest.mark.parametrize(("place", "name", "error"), FULL.values(), ids=FULL)
def test_a_disk_that_is_full_when_a_job_comes_to_its_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: type, name: str, error: Exception
) -> None:
    refusals = iter(range(2))
    original = getattr(place, name)

    def full(*arguments: object) -> object:
        if next(refusals, None) is not None:
            raise error
        return original(*arguments)

    async def story(it: Running) -> None:
        monkeypatch.setattr(place, name, full)
        job = await it.ran("quick")
        assert (job["state"], it.guard.started) == ("succeeded", {job["id"]: 1})

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


def test_a_disk_that_is_nearly_full_is_told_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(it: Running) -> None:
        monkeypatch.setattr("services.runner.room.lack", lambda _: "1 MB is free")
        answer = await it.client().post("/v1/jobs/run", json={"job": "long"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "storage")
        assert "retry-after" in answer.headers
        answer = await it.client().get("/healthz")
        assert (answer.status_code, answer.json()["reason"]) == (503, "1 MB is free")

    told(tmp_path, story)


def test_health_says_that_nothing_can_be_written_as_long_as_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_SECONDS", 0)

    async def story(it: Running) -> None:
        db = it.app.state.workshop.desk._store._db
        db.execute("PRAGMA query_only = ON")
        assert (await it.client().post("/v1/jobs/run", json={"job": "quick"})).status_code == 503
        for _ in range(2):
            answer = await it.client().get("/healthz")
            assert answer.status_code == 503
            assert "the state of jobs cannot be written" in answer.json()["reason"]
        db.execute("PRAGMA query_only = OFF")
        assert (await it.client().get("/healthz")).status_code == 200

    told(tmp_path, story)


def test_old_logs_are_gone_and_said_to_be(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        job = await it.ran("quick")
        (tmp_path / "data/reports" / job["id"] / "log").unlink()
        answer = await it.client().get(f"/v1/jobs/{job['id']}/logs")
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "log_removed")

    told(tmp_path, story)
