from __future__ import annotations

import os
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.pruning import DAY, MB, walk
from services.runner import prune as module
from services.runner.prune import Pruner
from services.runner.settings import Settings
from tests.unit.services.runner.fake_guard import Script
from tests.unit.services.runner.runners import Running
from tests.unit.services.runner.stories import told, until
from tests.unit.services.runner.test_artifacts import tar


def laid_out(tmp_path: Path) -> Settings:
    settings = Settings("tcp://x:1", tmp_path / "key", tmp_path / "data", tmp_path / "cache")
    settings.last_prune.parent.mkdir(parents=True)
    settings.reports.mkdir()
    return settings


def report(settings: Settings, letter: str, size: int = 1, age_days: float = 0) -> Path:
    folder = settings.reports / (letter * 32)
    folder.mkdir(parents=True)
    (folder / "log").write_bytes(b"x" * size)
    written = folder.stat().st_mtime - age_days * DAY
    os.utime(folder, (written, written))
    return folder


def test_a_clock_that_leaps_ahead_makes_nothing_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it has said so for as long as between two looks, it is the time."""
    settings = laid_out(tmp_path)
    old = report(settings, "a")
    now = time.time()
    for leap, stays in ((0, True), (100, True), (0, True), (100, True), (100, False)):
        monkeypatch.setattr("time.time", lambda leap=leap: now + leap * DAY)
        Pruner(settings).prune([], [])
        assert old.exists() == stays


def test_old_reports_go_and_those_of_running_jobs_stay(tmp_path: Path) -> None:
    settings = laid_out(tmp_path)
    old, running = (report(settings, letter, age_days=400) for letter in "ab")
    young = report(settings, "c")
    Pruner(settings).prune([], [running.name])
    assert [each.exists() for each in (old, running, young)] == [False, True, True]
    Pruner(settings).prune([], [])
    assert [each.exists() for each in (old, running, young)] == [False, False, True]


def test_what_is_too_much_goes_as_soon_as_it_is_there(tmp_path: Path) -> None:
    pruner = Pruner(replace(settings := laid_out(tmp_path), reports_mb=1))
    first = report(settings, "a", MB // 2, age_days=2)
    pruner.prune([], [])
    second = report(settings, "b", MB // 3, age_days=1)
    running = report(settings, "c", MB, age_days=3)
    pruner.prune([second.name], [running.name])
    assert first.exists()
    third = report(settings, "d", MB // 2)
    pruner.prune([third.name], [running.name])
    there = [each.exists() for each in (first, second, third, running)]
    assert there == [False, True, True, True]


def test_no_more_than_half_of_the_disk_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = SimpleNamespace(f_frsize=4096, f_blocks=2 * MB // 4096)
    monkeypatch.setattr(os, "statvfs", lambda _: disk)
    settings = laid_out(tmp_path)
    first, second = report(settings, "a", MB * 2 // 3, age_days=1), report(settings, "b", MB // 2)
    Pruner(settings).prune([], [])
    assert (first.exists(), second.exists()) == (False, True)


def test_empty_files_are_not_for_nothing(tmp_path: Path) -> None:
    settings = replace(laid_out(tmp_path), reports_mb=1)
    flood = report(settings, "a")
    for number in range(70):
        (flood / str(number)).touch()
    Pruner(settings).prune([], [])
    assert not flood.exists()


def test_as_long_as_there_is_not_too_much_only_what_is_new_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = laid_out(tmp_path)
    for letter in "abc":
        report(settings, letter)
    looked: list[str] = []

    def walking(root: Path) -> Iterator[tuple[int, str, os.stat_result]]:
        looked.append(root.name[0])
        return walk(root)

    monkeypatch.setattr(module, "walk", walking)
    pruner = Pruner(settings)
    pruner.prune([], [])
    assert sorted(looked) == ["a", "b", "c"]
    pruner.prune(["c" * 32, "e" * 32], [])
    assert sorted(looked[3:]) == ["c", "e"]


def test_a_caller_cannot_fill_the_disk_until_the_hour_is_over(tmp_path: Path) -> None:
    content = b"x" * (MB * 2 // 5)
    scripts = {"quick": Script(archive=tar([("artifacts/a", tarfile.REGTYPE, content)]))}

    async def story(it: Running) -> None:
        jobs = [tmp_path / "data/reports" / (await it.ran("quick"))["id"] for _ in range(4)]
        await until(lambda: not jobs[1].exists())
        assert [each.exists() for each in jobs] == [False, False, True, True]
        assert (jobs[3] / "artifacts/a").read_bytes() == content

    told(tmp_path, story, scripts=scripts, reports_mb=1)
