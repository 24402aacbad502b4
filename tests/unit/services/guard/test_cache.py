"""What the guard removes of the jobs' cache, and when."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.guard import cache as module
from services.guard.cache import EVERY_SECONDS, Cache
from services.pruning import DAY, MB, walk


def made(path: Path, size: int, age_days: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    seconds = path.stat().st_mtime - age_days * DAY
    os.utime(path, (seconds, seconds))
    return path


def mounted(monkeypatch: pytest.MonkeyPatch, flags: int) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flags))


class Clocks:
    """The machine's clock and the monotonic one, as a test moves them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.wall, self.steady = time.time(), 0.0
        fake = SimpleNamespace(time=lambda: self.wall, monotonic=lambda: self.steady)
        monkeypatch.setattr(module, "time", fake)

    def pass_by(self, seconds: float, leap: float = 0) -> None:
        self.steady += seconds
        self.wall += seconds + leap


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    mounted(monkeypatch, os.ST_RELATIME)
    return Clocks(monkeypatch)


def pruned(cache: Cache) -> None:
    cache.mark()
    asyncio.run(cache.prune())


def test_old_files_go_and_links_lead_nowhere(tmp_path: Path, clocks: Clocks) -> None:
    folder = tmp_path / "cache"
    canary = made(tmp_path / "outside/canary", 10, age_days=400)
    old = made(folder / "m2/old.jar", 10, age_days=400)
    young = made(folder / "m2/young.jar", 10)
    (folder / "up").symlink_to(tmp_path / "outside")
    (folder / "m2/link").symlink_to(canary)
    cache = Cache(folder, 90, MB)
    clocks.pass_by(EVERY_SECONDS)
    pruned(cache)
    assert not old.exists()
    assert young.exists()
    assert canary.exists()
    assert (folder / "m2/link").is_symlink()


def test_nothing_goes_for_its_age_on_noatime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clocks: Clocks
) -> None:
    """The times of reads are of no meaning there, and do not count for the size either."""
    mounted(monkeypatch, os.ST_NOATIME | os.ST_NODEV)
    first = made(tmp_path / "m2/first.jar", MB * 3 // 2, age_days=400)
    last = made(tmp_path / "m2/last.jar", MB * 3 // 2, age_days=300)
    os.utime(first, (time.time(), first.stat().st_mtime))
    clocks.pass_by(EVERY_SECONDS)
    pruned(Cache(tmp_path, 90, 4 * MB))
    assert first.exists()
    assert last.exists()
    pruned(Cache(tmp_path, 90, 2 * MB))
    assert not first.exists()
    assert last.exists()


def test_age_counts_once_the_clock_is_known(tmp_path: Path, clocks: Clocks) -> None:
    """It may be wrong after a boot, and when it has leapt; an hour later it is the time."""
    cache = Cache(tmp_path, 90, MB)
    old = made(tmp_path / "old.jar", 10, age_days=1)
    clocks.pass_by(0, leap=100 * DAY)
    pruned(cache)
    clocks.pass_by(EVERY_SECONDS, leap=-100 * DAY)
    pruned(cache)
    clocks.pass_by(EVERY_SECONDS, leap=100 * DAY)
    pruned(cache)
    assert old.exists()
    clocks.pass_by(EVERY_SECONDS)
    pruned(cache)
    assert not old.exists()


def test_what_cannot_be_removed_makes_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clocks: Clocks
) -> None:
    others = made(tmp_path / "theirs/old.jar", MB, age_days=9)
    first = made(tmp_path / "m2/first.jar", MB, age_days=2)
    last = made(tmp_path / "m2/last.jar", MB)
    theirs = others.parent.stat().st_ino
    monkeypatch.setattr(os, "access", lambda _p, _m, dir_fd: os.fstat(dir_fd).st_ino != theirs)
    pruned(Cache(tmp_path, 90, 3 * MB // 2))
    assert [each.exists() for each in (others, first, last)] == [True, False, True]


def test_pruning_ends_for_a_job_that_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [made(tmp_path / f"{number}.jar", MB, age_days=1) for number in range(9)]
    is_walking, goes_on = threading.Event(), threading.Event()

    def walking(root: Path) -> Iterator[tuple[int, str, os.stat_result]]:
        for number, each in enumerate(walk(root)):
            if number == 1:
                is_walking.set()
                goes_on.wait(9)
            yield each

    monkeypatch.setattr(module, "walk", walking)

    async def story() -> None:
        cache = Cache(tmp_path, 90, MB)
        cache.mark()
        pruning = asyncio.create_task(cache.prune())
        await asyncio.to_thread(is_walking.wait, 9)
        using = asyncio.create_task(used(cache))
        await asyncio.sleep(0.05)
        assert not using.done(), "it is not started while something may be removed"
        goes_on.set()
        await asyncio.gather(using, pruning)

    async def used(cache: Cache) -> None:
        async with cache.used():
            return

    asyncio.run(story())
    assert all(each.exists() for each in files)


def test_who_used_it_since_the_look_keeps_it_whole(tmp_path: Path) -> None:
    file = made(tmp_path / "a.jar", MB)

    async def story() -> None:
        cache = Cache(tmp_path, 90, 0)
        cache.mark()
        async with cache.used():
            await cache.prune()
            cache.mark()
            await cache.prune()
        await cache.prune()
        assert file.exists()
        cache.mark()
        await cache.prune()
        assert not file.exists()

    asyncio.run(story())
