"""The exported chain is the store's, whatever a crash or somebody left in its folder."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from services.audit import chain
from services.audit.verify import files, verify
from services.runner import export
from services.runner.desk import Desk
from services.runner.export import Exporter, TouchedError
from services.runner.records import Request
from services.runner.store import Store
from tests.unit.services.runner.runners import IMAGE

JOBS = 7


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an exported chain of seven lines, beside its store."""
    (tmp_path / "audit").mkdir()
    store = Store(tmp_path / "db")
    for _ in range(JOBS):
        store.accept(Request("audit", {}, "gateway", IMAGE), 99, 99, 99)
    store.close()
    exported(tmp_path / "audit")
    return tmp_path / "audit"


def exported(folder: Path) -> int:
    """Export with a new exporter, as a runner that was started again; return the last number."""

    async def story() -> int:
        desk = Desk(Store(folder.parent / "db"))
        exporter = Exporter(desk, folder)
        try:
            await exporter.catch_up()
        finally:
            desk.close()
        return exporter.exported

    return asyncio.run(story())


def only(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_the_chain_is_exported_once(folder: Path) -> None:
    before = only(folder).read_bytes()
    assert exported(folder) == JOBS
    assert only(folder).read_bytes() == before
    verdict = verify(files(folder))
    assert (verdict.findings, verdict.lines) == ((), JOBS)


@pytest.mark.parametrize("left", [0, 1, 100, 1000, -1, -2])
def test_a_torn_export_is_completed(folder: Path, left: int) -> None:
    whole = only(folder).read_bytes()
    only(folder).write_bytes(whole[:left])
    exported(folder)
    assert only(folder).read_bytes() == whole


def test_a_lost_export_is_made_again(folder: Path) -> None:
    whole = only(folder).read_bytes()
    only(folder).unlink()
    exported(folder)
    assert only(folder).read_bytes() == whole


def changed(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10] + b"x" * 9 + b"\n")


def torn_and_changed(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10] + b"xxx")


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"{}\n")


def begun(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"{")


def renamed(path: Path) -> None:
    path.rename(path.with_name("000000000002.jsonl"))


TOUCHED: dict[str, tuple[Callable[[Path], None], str]] = {
    "changed": (changed, "line 7 of 000000000001.jsonl is not the store's"),
    "torn and changed": (torn_and_changed, "ends with what is no line 7"),
    "longer": (longer, "line 8 of 000000000001.jsonl is not the store's"),
    "begun": (begun, "it has more than the 7 lines of the store"),
    "renamed": (renamed, "000000000002.jsonl is no name of a file of this chain"),
}


@pytest.mark.parametrize(("touch", "reason"), TOUCHED.values(), ids=TOUCHED)
def test_a_touched_export_is_left_alone(
    folder: Path, touch: Callable[[Path], None], reason: str
) -> None:
    touch(only(folder))
    before = only(folder).read_bytes()
    with pytest.raises(TouchedError, match=reason):
        exported(folder)
    assert only(folder).read_bytes() == before


def test_files_begin_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "LINES_A_FILE", 3)
    monkeypatch.setattr(export, "LINES_A_FILE", 3)
    only(folder).unlink()
    exported(folder)
    named = [path.name for path in sorted(folder.iterdir())]
    assert named == ["000000000001.jsonl", "000000000004.jsonl", "000000000007.jsonl"]
    assert verify(files(folder)).findings == ()
    (folder / named[2]).write_bytes(b"")
    exported(folder)
    assert verify(files(folder)).lines == JOBS
