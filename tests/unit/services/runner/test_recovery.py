"""Nothing is lost, run twice or left behind, whoever dies."""

from __future__ import annotations

import asyncio
import errno
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest

from services.audit.verify import Seen, files, verify
from services.runner import collect
from services.runner.reports import Reports
from tests.unit.services.runner.fake_guard import FakeGuard, Script, serving
from tests.unit.services.runner.runners import Running, lay_out, running, served, token
from tests.unit.services.runner.stories import told, until

LONG = Script(output=[(0, 1, b"begun\n")], seconds=60)
BRIEF = Script(output=[(0, 1, b"one\n"), (0.6, 1, b"two\n")], seconds=0.2)
SCRIPTS = {"long": LONG, "brief": BRIEF, "quick": Script(), "mute": Script(seconds=60)}


def test_what_a_dead_runner_left(tmp_path: Path) -> None:
    guard = FakeGuard(SCRIPTS)

    async def story() -> None:
        async with running(tmp_path, guard=guard, parallel=1) as it:
            runs, waits = await it.run("long"), await it.run("brief")
            await until(lambda: bool(guard.containers.get(runs) and guard.containers[runs].printed))
        assert guard.containers.keys() == {runs}
        foreign = "f" * 32
        guard.containers[foreign] = guard.containers[runs]
        async with running(tmp_path, guard=guard, parallel=1) as it:
            job = await it.end(runs)
            assert job["state"] == "interrupted"
            assert "died while it was running" in job["result"]["reason"]
            assert (await it.client().get(f"/v1/jobs/{runs}/logs")).text == "begun\n"
            assert (await it.end(waits))["state"] == "succeeded"
            await until(lambda: guard.containers == {})
        assert guard.started == {runs: 1, waits: 1}

    asyncio.run(story())


@pytest.mark.parametrize(
    ("exit_code", "lost", "state"),
    [(255, True, "interrupted"), (255, False, "failed"), (0, True, "succeeded")],
)
def test_an_exit_code_that_docker_may_have_invented(
    tmp_path: Path, exit_code: int, lost: bool, state: str
) -> None:
    """The guard was there all the time, and says that Docker was not."""

    async def story(it: Running) -> None:
        assert (await it.ran("quick"))["state"] == state

    told(tmp_path, story, scripts={"quick": Script(exit_code=exit_code, lost=lost)})


def vanishes(guard: FakeGuard, job: str) -> None:
    """The container is no more, as when Docker's disk is lost."""
    del guard.containers[job]


def forgets(guard: FakeGuard, job: str) -> None:
    """Docker had not written the output to its disk when the power was cut."""
    guard.containers[job].printed.clear()


def goes_on(guard: FakeGuard, job: str) -> None:
    """The container prints while no runner is there."""
    guard.containers[job].printed.append((2, b"more\n"))


def hangs(guard: FakeGuard, job: str) -> None:
    """Docker never ends the container's output."""
    guard.containers[job].script = Script(keeps_stream_open=True)


KEPT: dict[str, tuple[str, Callable[[FakeGuard, str], None], str, bool]] = {
    "the container is gone": ("long", vanishes, "begun\n", True),
    "it is gone, and nothing was kept": ("mute", vanishes, "", True),
    "Docker has less of it": ("long", forgets, "begun\n", True),
    "Docker has more of it": ("long", goes_on, "begun\nmore\n", False),
    "Docker does not end it": ("long", hangs, "begun\n", True),
}


@pytest.mark.parametrize(("name", "meanwhile", "log", "truncated"), KEPT.values(), ids=KEPT)
def test_a_log_is_never_less_than_it_was(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    meanwhile: Callable[[FakeGuard, str], None],
    log: str,
    truncated: bool,
) -> None:
    monkeypatch.setattr(collect, "_SILENT_SECONDS", 0.3)
    guard = FakeGuard(SCRIPTS)

    async def story() -> None:
        async with running(tmp_path, guard=guard) as it:
            job = await it.run(name)
            folder = tmp_path / "data/reports" / job
            printed = sum(len(data) for _, _, data in SCRIPTS[name].output)
            await until(lambda: job in guard.started)
            await until(lambda: (folder / "log").stat().st_size == printed)
        meanwhile(guard, job)
        async with running(tmp_path, guard=guard) as it:
            ended = await it.end(job)
            result = ended["result"]
            assert (ended["state"], result["log_bytes"]) == ("interrupted", len(log))
            assert result["log_truncated"] == truncated
            assert (await it.client().get(f"/v1/jobs/{job}/logs")).text == log
            events = (await it.client().get(f"/v1/jobs/{job}/logs?follow=1")).text
            assert ("event: truncated" in events) == truncated
            left = sorted(path.name for path in folder.iterdir())
            assert left == ["log", "log.streams", "report.json"]

    asyncio.run(story())


def test_reports_that_could_not_be_written_are_written_by_a_later_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard, jobs = FakeGuard(SCRIPTS), []

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def story() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Reports, "write", full)
            for _ in range(2):
                async with running(tmp_path, guard=guard) as it:
                    jobs.append(await it.ran("quick"))
        paths = [tmp_path / "data/reports" / job["id"] / "report.json" for job in jobs]
        assert [job["state"] for job in jobs] == ["succeeded"] * 2
        assert not any(path.exists() for path in paths)
        async with running(tmp_path, guard=guard):
            await until(lambda: all(path.exists() for path in paths))
        assert [json.loads(path.read_text())["id"] for path in paths] == [job["id"] for job in jobs]

    asyncio.run(story())


def test_jobs_wait_while_the_guard_is_away(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        await it.ran("quick")
        it.guard.is_docker_down = True
        job = await it.run("quick")
        await asyncio.sleep(0.3)
        assert (await it.client().get(f"/v1/jobs/{job}")).json()["state"] == "queued"
        it.guard.is_docker_down = False
        assert (await it.end(job))["state"] == "succeeded"

    told(tmp_path, story, scripts=SCRIPTS)


@pytest.mark.parametrize("was_there", [True, False])
def test_jobs_do_not_wait_for_ever(tmp_path: Path, was_there: bool) -> None:
    guard = FakeGuard(SCRIPTS)
    guard.is_docker_down = not was_there

    async def story(it: Running) -> None:
        if was_there:
            await it.ran("quick")
        guard.is_docker_down = True
        job = await it.end(await it.run("quick"))
        assert job["state"] == "error"
        assert "could not be begun within 1 s" in job["result"]["reason"]

    told(tmp_path, story, guard=guard, queue_seconds=1)


async def nothing(guard: FakeGuard, job: str) -> None:
    """Let the container go on."""


async def killed(guard: FakeGuard, job: str) -> None:
    """Have Docker's death kill the container."""
    container = guard.containers[job]
    assert container.task
    container.task.cancel()
    guard._end(container, 137)


async def gone(guard: FakeGuard, job: str) -> None:
    """Have the container vanish."""
    del guard.containers[job]


LOSSES: dict[str, tuple[Callable[[FakeGuard, str], Awaitable[None]], str, str]] = {
    "it goes on": (nothing, "succeeded", "one\ntwo\n"),
    "it is killed": (killed, "interrupted", "one\n"),
    "it vanishes": (gone, "interrupted", "one\n"),
}


@pytest.mark.parametrize(("meanwhile", "state", "log"), LOSSES.values(), ids=LOSSES)
def test_the_guard_goes_away_while_a_job_runs(
    tmp_path: Path,
    meanwhile: Callable[[FakeGuard, str], Awaitable[None]],
    state: str,
    log: str,
) -> None:
    async def story(it: Running) -> None:
        job = await it.run("brief")
        folder = tmp_path / "data/reports" / job / "log"
        await until(lambda: folder.exists() and folder.read_bytes() == b"one\n")
        it.guard.is_docker_down = True
        it.guard.drop()
        await meanwhile(it.guard, job)
        await asyncio.sleep(0.1)
        it.guard.is_docker_down = False
        assert (await it.end(job))["state"] == state
        assert (await it.client().get(f"/v1/jobs/{job}/logs")).text == log
        assert it.guard.started == {job: 1}

    told(tmp_path, story, scripts=SCRIPTS)


def test_output_that_never_ends_counts_as_truncated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "_SILENT_SECONDS", 0.3)
    script = Script(output=[(0, 1, b"one\n")], keeps_stream_open=True)

    async def story(it: Running) -> None:
        job = await it.ran("silent")
        assert (job["state"], job["result"]["log_truncated"]) == ("succeeded", True)
        assert (await it.client().get(f"/v1/jobs/{job['id']}/logs")).text == "one\n"

    told(tmp_path, story, scripts={"silent": script})


@pytest.mark.parametrize("answer", ["create", "start", "wait", "json", "logs", "archive"])
def test_an_answer_is_lost(tmp_path: Path, answer: str) -> None:
    async def story(it: Running) -> None:
        it.guard.lost_answers = [answer]
        job = await it.ran("brief")
        assert job["state"] == "succeeded"
        assert it.guard.started == {job["id"]: 1}
        assert (await it.client().get(f"/v1/jobs/{job['id']}/logs")).text == "one\ntwo\n"
        await until(lambda: it.guard.containers == {})

    told(tmp_path, story, scripts=SCRIPTS)


def test_a_container_that_cannot_be_removed_yet_is_removed_soon(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        job = await it.run("brief")
        it.guard.refusals[job] = (409, "the container is running; stop it first")
        assert (await it.end(job))["state"] == "succeeded"
        await asyncio.sleep(0.1)
        assert it.guard.containers.keys() == {job}
        it.guard.refusals.clear()
        await until(lambda: it.guard.containers == {})

    told(tmp_path, story, scripts=SCRIPTS)


def test_what_a_dead_runner_left_running_is_removed_soon(tmp_path: Path) -> None:
    guard = FakeGuard(SCRIPTS)

    async def story() -> None:
        async with running(tmp_path, guard=guard) as it:
            job = await it.run("long")
            await until(lambda: job in guard.started)
        guard.refusals[job] = (409, "the container is running; stop it first")
        async with running(tmp_path, guard=guard) as it:
            assert (await it.end(job))["state"] == "interrupted"
            await until(lambda: not it.app.state.scheduler.problem)
            guard.refusals.clear()
            await until(lambda: guard.containers == {})

    asyncio.run(story())


FULL = (429, "16 containers are running already; wait for one to end, or delete one")


def test_a_job_for_which_there_is_no_room_yet_is_none_that_was_lost(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        it.guard.refusals["start"] = FULL
        job = await it.run("ends")
        await until(lambda: job in it.guard.containers)
        await asyncio.sleep(0.1)
        it.guard.refusals.clear()
        said = await it.end(job)
        # As if somebody had ended it, which it would count as after a loss.
        assert (said["state"], said["result"]["exit_code"]) == ("failed", 137)

    told(tmp_path, story, scripts={"ends": Script(exit_code=137)})


def test_a_job_for_which_there_is_no_room_can_be_cancelled(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        it.guard.refusals["start"] = FULL
        job = await it.run("brief")
        await until(lambda: job in it.guard.containers)
        await it.client().post(f"/v1/jobs/{job}/cancel")
        said = await it.end(job)
        assert said["state"] == "cancelled"
        assert "before there was room" in said["result"]["reason"]
        await until(lambda: it.guard.containers == {})
        assert it.guard.started == {}

    told(tmp_path, story, 20, scripts=SCRIPTS)


def test_what_may_have_run_is_not_run_again(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        it.guard.refusals["start"] = (409, "Docker went away while it started the container")
        job = await it.ran("brief")
        assert job["state"] == "interrupted"
        assert "died while it was being started" in job["result"]["reason"]
        await until(lambda: it.guard.containers == {})

    told(tmp_path, story, scripts=SCRIPTS)


def test_a_runner_that_is_killed_again_and_again(tmp_path: Path) -> None:
    """Every job that was accepted ends, once, however often the runner is killed."""
    scripts = {"quick": Script(seconds=0.02), "brief": Script(seconds=0.2)}
    guard = FakeGuard(scripts)
    accepted: set[str] = set()
    dice = random.Random(5)

    async def ask(client: httpx2.AsyncClient) -> None:
        while True:
            try:
                body = {"job": dice.choice(list(scripts))}
                answer = await client.post("/v1/jobs/run", json=body)
            except httpx2.HTTPError:
                return
            if answer.status_code == 202:
                accepted.add(answer.json()["id"])
            await asyncio.sleep(0.05)

    async def story() -> None:
        lay_out(tmp_path, dict.fromkeys(scripts, 60))
        headers = {"Authorization": f"Bearer {token('operator')}"}
        async with serving(guard) as guard_port, serving(FakeGuard({})) as port:
            pass
        async with serving(guard, guard_port):
            for _ in range(3):
                process = await served(tmp_path, guard_port, port)
                async with httpx2.AsyncClient(
                    base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False
                ) as client:
                    asking = [asyncio.create_task(ask(client)) for _ in range(2)]
                    await asyncio.sleep(dice.uniform(0.3, 1.0))
                    process.kill()
                    await process.wait()
                    await asyncio.gather(*asking)
            process = await served(tmp_path, guard_port, port)
            async with httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False
            ) as client:
                for job in accepted:
                    said = (await client.get(f"/v1/jobs/{job}?wait=20")).json()
                    assert said["state"] in ("succeeded", "interrupted"), said
            await until(lambda: guard.containers == {})
            process.terminate()
            await process.wait()

    asyncio.run(story())
    assert len(accepted) > 5
    assert set(guard.started.values()) == {1}
    heads = [Seen(*each) for each in guard.heads]
    assert verify(files(tmp_path / "data/audit"), heads).findings == ()
