from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.runner.prune import MB, Kept, prune, superfluous
from services.runner.settings import Settings

DAY = 86_400
NOW = 1000 * DAY

CASES: dict[str, tuple[list[Kept], list[str]]] = {
    "nothing": ([], []),
    "young and small": ([Kept("a", 10, NOW)], []),
    "old": ([Kept("a", 1, NOW - 31 * DAY), Kept("b", 1, NOW - 29 * DAY)], ["a"]),
    "too much, the oldest first": (
        [Kept("a", 60, NOW - 1), Kept("b", 60, NOW - 3), Kept("c", 30, NOW - 2)], ["b"]
    ),
    "one alone that is too much": ([Kept("a", 101, NOW)], ["a"]),
    "from the future": ([Kept("a", 1, NOW + 9 * DAY)], []),
    "old does not count as much": ([Kept("a", 99, NOW - 31 * DAY), Kept("b", 99, NOW)], ["a"]),
}  # fmt: skip


@pytest.mark.parametrize(("kept", "gone"), CASES.values(), ids=CASES)
def test_what_is_superfluous(kept: list[Kept], gone: list[str]) -> None:
    assert [each.name for each in superfluous(kept, NOW, 30, 100)] == gone


def test_much_that_is_old_takes_no_time() -> None:
    kept = [Kept(str(number), 1, NOW - number * DAY / 200) for number in range(12_000)]
    began = time.process_time()
    assert len(superfluous(kept, NOW, 30, 100)) == 12_000 - 100
    assert time.process_time() - began < 2


def test_age_does_not_count_where_reads_do_not_show() -> None:
    kept = [Kept("a", 60, NOW - 900 * DAY), Kept("b", 60, 0), Kept("c", 30, NOW)]
    assert [each.name for each in superfluous(kept, NOW, None, 200)] == []
    assert [each.name for each in superfluous(kept, NOW, None, 100)] == ["b"]


def made(path: Path, size: int, age_days: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    seconds = path.stat().st_mtime - age_days * DAY
    os.utime(path, (seconds, seconds))
    return path


def laid_out(tmp_path: Path) -> Settings:
    settings = Settings("tcp://x:1", tmp_path / "key", tmp_path / "data", tmp_path / "cache")
    settings.last_prune.parent.mkdir(parents=True)
    return settings


def test_a_clock_that_leaps_ahead_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it has said so for as long as between two looks, it is the time."""
    settings = laid_out(tmp_path)
    report = made(settings.reports / ("a" * 32) / "log", 10).parent
    now = time.time()
    for leap, stays in ((0, True), (100, True), (0, True), (100, True), (100, False)):
        monkeypatch.setattr("time.time", lambda leap=leap: now + leap * DAY)
        prune(settings, [])
        assert report.exists() == stays


def mounted(monkeypatch: pytest.MonkeyPatch, flags: int) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=flags))


def test_nothing_goes_for_its_age_on_noatime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The times of reads are of no meaning there, and do not count for the size either."""
    mounted(monkeypatch, os.ST_NOATIME | os.ST_NODEV)
    settings = replace(laid_out(tmp_path), cache_mb=4)
    settings.reports.mkdir()
    written_first = made(settings.shared_cache / "m2/first.jar", MB * 3 // 2, age_days=400)
    written_last = made(settings.shared_cache / "m2/last.jar", MB * 3 // 2, age_days=300)
    os.utime(written_first, (NOW + DAY, written_first.stat().st_mtime))
    os.utime(written_last, (NOW, written_last.stat().st_mtime))
    prune(settings, [])
    assert written_first.exists()
    assert written_last.exists()
    prune(replace(settings, cache_mb=2), [])
    assert not written_first.exists()
    assert written_last.exists()


def test_old_files_go_and_links_lead_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounted(monkeypatch, os.ST_RELATIME)
    settings = laid_out(tmp_path)
    canary = made(tmp_path / "outside/canary", 10, age_days=400)
    old = made(settings.shared_cache / "m2/old.jar", 10, age_days=400)
    young = made(settings.shared_cache / "m2/young.jar", 10)
    (settings.shared_cache / "up").symlink_to(tmp_path / "outside")
    (settings.shared_cache / "m2/link").symlink_to(canary)
    report = made(settings.reports / ("a" * 32) / "log", 10).parent
    os.utime(report, (1, 1))
    running = made(settings.reports / ("b" * 32) / "log", 10).parent
    os.utime(running, (1, 1))
    prune(settings, [running.name])
    assert old.exists(), "while a job runs, the cache is left alone"
    assert running.exists()
    assert not report.exists()
    prune(settings, [])
    assert not old.exists()
    assert not running.exists()
    assert young.exists()
    assert canary.exists()
