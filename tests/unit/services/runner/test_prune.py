from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from services.runner.prune import prune
from services.runner.settings import Settings

DAY = 86_400


def laid_out(tmp_path: Path) -> Settings:
    settings = Settings("tcp://x:1", tmp_path / "key", tmp_path / "data", tmp_path / "cache")
    settings.last_prune.parent.mkdir(parents=True)
    return settings


def report(settings: Settings, letter: str) -> Path:
    folder = settings.reports / (letter * 32)
    folder.mkdir(parents=True)
    (folder / "log").write_bytes(b"x")
    return folder


def test_a_clock_that_leaps_ahead_removes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it has said so for as long as between two looks, it is the time."""
    settings = laid_out(tmp_path)
    old = report(settings, "a")
    now = time.time()
    for leap, stays in ((0, True), (100, True), (0, True), (100, True), (100, False)):
        monkeypatch.setattr("time.time", lambda leap=leap: now + leap * DAY)
        prune(settings, [])
        assert old.exists() == stays


def test_old_reports_go_and_those_of_running_jobs_stay(tmp_path: Path) -> None:
    settings = laid_out(tmp_path)
    old, running, young = (report(settings, letter) for letter in "abc")
    for each in (old, running):
        os.utime(each, (1, 1))
    prune(settings, [running.name])
    assert [each.exists() for each in (old, running, young)] == [False, True, True]
    prune(settings, [])
    assert [each.exists() for each in (old, running, young)] == [False, False, True]
