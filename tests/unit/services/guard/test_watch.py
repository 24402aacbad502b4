from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.guard.body import MB, limits_text
from services.guard.cache import Cache
from services.guard.docker import DockerError
from services.guard.owned import owned
from services.guard.watch import (
    UNMEASURED,
    Seen,
    elapsed,
    ran_before,
    used,
    volume_sizes,
)
from services.jobs import Limits
from tests.unit.services.guard.given import ID, new_watch

BEGUN = 1795255200.0  # 2026-11-21T10:00:00Z


@pytest.mark.parametrize(
    ("started", "now", "expected"),
    [
        ("2026-11-21T10:00:00.123456789Z", BEGUN + 5, 5.0),
        ("2026-11-21T10:00:00Z", BEGUN - 3600, 0.0),  # the clock was set back
        ("2026-11-21T10:00:00Z", BEGUN + 1e6, 60.0),  # or forth: what is over is over
        ("0001-01-01T00:00:00Z", BEGUN, 60.0),
        ("soon", BEGUN, 0.0),
    ],
)
def test_how_long_it_ran_before_it_was_seen(started: str, now: float, expected: float) -> None:
    assert ran_before(started, now, 60) == expected


def test_time_that_passes_is_the_monotonic_clocks() -> None:
    assert elapsed(since=100.0, before=5.0, now=130.0) == 35.0


def test_a_volume_that_docker_did_not_look_at_is_left_out() -> None:
    volumes = [
        {"Name": "a", "UsageData": {"Size": 5}},
        {"Name": "b", "UsageData": {"Size": -1}},
        {"Name": "c"},
    ]
    assert volume_sizes({"Volumes": volumes}) == {"a": 5, "b": UNMEASURED}
    assert volume_sizes({"Volumes": None}) == {}


def test_of_memory_the_most_is_kept() -> None:
    said = {
        "memory_stats": {"usage": 5},
        "cpu_stats": {"cpu_usage": {"total_usage": 2_500_000_000}},
    }
    assert used(said, {"memory_bytes": 9}) == {"memory_bytes": 9, "cpu_seconds": 2.5}
    assert used({}, {"memory_bytes": 9, "cpu_seconds": 2.5}) == {
        "memory_bytes": 9, "cpu_seconds": 2.5,
    }  # fmt: skip


def test_of_a_container_that_has_ended_docker_says_nothing() -> None:
    ended = {"memory_stats": {}, "cpu_stats": {"cpu_usage": {"total_usage": 0}}}
    assert used(ended, {}) == {}


LEFT, IN_USE = (f"clup-job-{ID}-{each * 16}" for each in "ab")
OTHERS = [LEFT[:-1], f"{LEFT}0", f"x-{LEFT}", f"clup-job-{ID}", "c" * 64, "data"]


class _Docker:
    """Docker with volumes, and nothing else; one of them is in use, whatever it says."""

    def __init__(self) -> None:
        self.volumes = [LEFT, IN_USE, *OTHERS]
        self.asked: list[Mapping[str, str]] = []

    async def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, **_: object
    ) -> object:
        if path == "/containers/json":
            return []
        if path == "/volumes":
            self.asked.append(query or {})
            return {"Volumes": [{"Name": name} for name in self.volumes]}
        if path == f"/volumes/{IN_USE}":
            raise DockerError(409, "volume is in use")
        assert (method, path) == ("DELETE", f"/volumes/{LEFT}")
        self.volumes.remove(LEFT)
        return None


def test_volumes_whose_container_is_no_more_are_removed() -> None:
    docker = _Docker()

    async def story() -> None:
        watching = asyncio.create_task(new_watch(docker).run())
        async with asyncio.timeout(5):
            while docker.volumes != [IN_USE, *OTHERS]:
                await asyncio.sleep(0.01)
        watching.cancel()

    asyncio.run(story())
    [query] = docker.asked
    assert json.loads(query["filters"]) == {"dangling": ["true"]}


FULL = "f" * 64


class _Measuring:
    """Docker that says these sizes of a job's volume, one reading after the other."""

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sizes
        self.killed = 0

    async def call(self, method: str, path: str, *_: object, **__: object) -> object:
        if path == "/system/df":
            usage = {"Size": self.sizes.pop(0), "RefCount": 1}
            return {"Volumes": [{"Name": "work", "UsageData": usage}]}
        self.killed += path == f"/containers/{FULL}/kill"
        return {}


LABELS = {
    "clup.class": "job", "clup.job": "x", "clup.job.id": ID,
    "clup.job.limits": limits_text(Limits(disk_mb=16, seconds=60)),
}  # fmt: skip


def _entry() -> dict[str, object]:
    """What Docker lists of a job that runs."""
    return {
        "Id": FULL, "Names": [f"/clup-job-{ID}"], "Labels": LABELS,
        "State": "running", "Created": 0,
    }  # fmt: skip


def _said() -> dict[str, object]:
    """What Docker says of a job of 16 MB, or 60 s, that runs."""
    return {
        "Id": FULL, "Name": f"/clup-job-{ID}", "Config": {"Labels": LABELS},
        "Mounts": [{"Type": "volume", "Name": "work"}, {"Type": "bind", "Name": ""}],
        "State": {"StartedAt": "2020-01-01T00:00:00Z"},
    }  # fmt: skip


def _measured(sizes: list[int]) -> tuple[Seen, int]:
    """A job of 16 MB after so many readings, and how often it was killed."""
    container = owned(_said(), ID)
    assert container is not None
    seen, docker = Seen(container, 0.0, 0.0, 0), _Measuring(list(sizes))

    async def story() -> None:
        watch = new_watch(docker)
        for _ in sizes:
            await watch._measure([seen])
        if seen.ending:
            await seen.ending

    asyncio.run(story())
    return seen, docker.killed


@pytest.mark.parametrize(
    ("sizes", "reason", "killed"),
    [
        ([16 * MB], "", 0),
        ([16 * MB + 1], "disk_full", 1),
        ([5, UNMEASURED], "", 0),  # something went while Docker looked at it
        ([UNMEASURED, 5, UNMEASURED], "", 0),
        ([5, UNMEASURED, UNMEASURED], "disk_full", 1),
    ],
)
def test_a_job_ends_for_its_bytes_or_when_docker_cannot_tell_them(
    sizes: list[int], reason: str, killed: int
) -> None:
    seen, kills = _measured(sizes)
    assert (seen.reason, kills) == (reason, killed)


def test_of_a_volume_that_is_not_measured_the_last_size_is_told() -> None:
    seen, _ = _measured([5, UNMEASURED])
    assert seen.usage["disk_bytes"] == 5


class _Listing:
    """Docker that lists no job at first, if it is told so, and then one of six years ago."""

    def __init__(self, is_new: bool) -> None:
        self.shown: list[list[object]] = [[]] if is_new else []

    async def call(self, method: str, path: str, *_: object, **__: object) -> object:
        if path == "/containers/json":
            return self.shown.pop() if self.shown else [_entry()]
        return _said() if path == f"/containers/{FULL}/json" else {}

    def stream(self, *_: object, **__: object) -> object:
        raise DockerError(404, "it made no files")


@pytest.mark.parametrize(("is_new", "reason"), [(True, ""), (False, "timed_out")])
def test_a_clock_that_jumped_ends_no_job_that_came_after_the_last_look(
    is_new: bool, reason: str
) -> None:
    docker = _Listing(is_new)

    async def story() -> str:
        watch = new_watch(docker)
        await watch._look()
        await watch._look()
        return watch.reason(FULL)

    assert asyncio.run(story()) == reason


class _Jobs:
    """Docker with jobs that run, or without."""

    def __init__(self, *entries: object) -> None:
        self.entries = entries

    async def call(self, method: str, path: str, *_: object, **__: object) -> object:
        if path == "/containers/json":
            return list(self.entries)
        return _said() if path == f"/containers/{FULL}/json" else {}

    def stream(self, *_: object, **__: object) -> object:
        raise DockerError(404, "it made no files")


@pytest.mark.parametrize(("entries", "stays"), [((), False), ((_entry(),), True)])
def test_the_cache_is_pruned_while_no_job_runs(
    tmp_path: Path, entries: tuple[object, ...], stays: bool
) -> None:
    file = tmp_path / "a.jar"
    file.write_bytes(b"x")

    async def story() -> None:
        watch = new_watch(_Jobs(*entries), Cache(tmp_path, 90, 0))
        watching = asyncio.create_task(watch.run())
        for _ in range(100):
            await asyncio.sleep(0.005)
            if not file.exists():
                break
        watching.cancel()

    asyncio.run(story())
    assert file.exists() == stays


class _Sampled:
    """Docker with a job that runs. It takes long to walk through volumes, and to tell of a job what
    it uses, but for the first time."""

    def __init__(self) -> None:
        self.samples = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def call(self, method: str, path: str, *_: object, **__: object) -> object:
        if path == "/containers/json":
            return [_entry()]
        if path == "/system/df":
            await asyncio.sleep(60)
        if path != f"/containers/{FULL}/stats":
            return _said()
        await self.answers.wait()
        self.answers.clear()
        self.samples += 1
        cpu = {"total_usage": self.samples * 10**9}
        return {"memory_stats": {"usage": 7}, "cpu_stats": {"cpu_usage": cpu}}

    def stream(self, *_: object, **__: object) -> object:
        raise DockerError(404, "it made no files")


def test_what_a_job_uses_is_told_from_the_first_look_on_and_holds_up_none() -> None:
    async def story() -> None:
        docker = _Sampled()
        watch = new_watch(docker)
        first = asyncio.create_task(watch._look())
        await asyncio.sleep(0.05)
        assert (first.done(), watch.usage(FULL)) == (False, {"memory_bytes": 7, "cpu_seconds": 1.0})
        first.cancel()
        watch._due = math.inf
        async with asyncio.timeout(5):
            await watch._look()
            await watch._look()
        docker.answers.set()
        await asyncio.sleep(0.05)
        assert (docker.samples, watch.usage(FULL)["cpu_seconds"]) == (2, 2.0)

    asyncio.run(story())
