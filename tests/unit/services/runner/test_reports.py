"""What is kept of jobs that have ended, beside their artifacts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from services.runner import spool
from services.runner.records import Record
from services.runner.reports import Reports
from services.runner.spool import Spool
from tests.unit.services.guard.given import ID
from tests.unit.services.runner.test_collect import Disk

ENDED = Record(1, ID, "audit", "gateway", {}, "sha256:0", "succeeded", created="2026-01-01")


@pytest.fixture
def reports(tmp_path: Path) -> Reports:
    for name in ("jobs", "tmp"):
        (tmp_path / name).mkdir()
    made = Reports(tmp_path / "jobs", tmp_path / "tmp")
    made.make(ID)
    return made


def _spooled(folder: Path, stream: int, data: bytes) -> None:
    made = Spool(folder, 1000)
    made.write(stream, data)
    made.close()


@pytest.mark.parametrize(
    ("there", "anew", "gives_way"),
    [
        (b"one", b"one, two", True),
        (b"one", b"ONE", True),
        (b"one, two", b"one", False),
        (b"one", b"", False),
        (None, b"one", True),
    ],
)
def test_a_log_gives_way_to_one_that_is_not_shorter(
    reports: Reports, there: bytes | None, anew: bytes, gives_way: bool
) -> None:
    folder = reports.folder(ID)
    if there is not None:
        _spooled(folder, 1, there)
    _spooled(reports.log_sketch(ID), 2, anew)
    assert reports.keep_log(ID) == gives_way
    reports.discard(ID)
    assert sorted(path.name for path in folder.iterdir()) == ["log", "log.streams"]
    piece = spool.read(folder, 0, 100)
    assert piece
    assert (piece.stream, piece.data) == ((2, anew) if gives_way else (1, there))


def test_a_log_has_its_name_for_good(
    tmp_path: Path, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path, name="log")
    monkeypatch.setattr(os, "fsync", disk.fsync)
    _spooled(reports.log_sketch(ID), 1, b"one")
    reports.keep_log(ID)
    assert disk.synced == ["jobs/ID/.log/log.streams", "jobs/ID/.log/log", "jobs/ID"]
    assert disk.named_at == 2


def test_a_report_is_written_through_before_it_has_its_name_and_then_it(
    tmp_path: Path, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path, name="report.json")
    monkeypatch.setattr(os, "fsync", disk.fsync)
    reports.write(ENDED)
    assert (disk.synced, disk.named_at) == (["jobs/ID/.report.json", "jobs/ID", "jobs"], 1)
    path = reports.folder(ID) / "report.json"
    assert json.loads(path.read_text())["state"] == "succeeded"
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(("there", "is_written"), [(None, True), ("", True), ("{}", False)])
def test_a_report_that_is_missing_is_written(
    reports: Reports, there: str | None, is_written: bool
) -> None:
    path = reports.folder(ID) / "report.json"
    if there is not None:
        path.write_text(there)
    reports.write_missing([ENDED])
    assert path.read_text().startswith('{\n  "seq": 1') == is_written


def test_what_was_removed_is_not_written_again(reports: Reports) -> None:
    reports.folder(ID).rmdir()
    reports.write_missing([ENDED])
    assert not reports.folder(ID).exists()
