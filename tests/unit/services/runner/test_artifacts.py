"""What a job may leave, and what it may try."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.runner.artifacts import MOST_FILES, Collected, Member, extract, judge, listing, place


def tar(entries: Sequence[tuple[str, bytes, bytes | str]]) -> bytes:
    """Given names, types and contents (of a link its target), return an archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as made:
        for name, kind, content in entries:
            entry = tarfile.TarInfo(name)
            entry.type = kind
            entry.mode = 0o6777
            if isinstance(content, str):
                entry.linkname = content
                made.addfile(entry)
            else:
                entry.size = len(content)
                made.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def taken(tmp_path: Path, data: bytes, limit: int = 1000) -> Collected:
    (tmp_path / "a.tar").write_bytes(data)
    return extract(tmp_path / "a.tar", tmp_path / "out", limit)


FILE, DIR = tarfile.REGTYPE, tarfile.DIRTYPE


def test_files_are_taken(tmp_path: Path) -> None:
    entries = [
        ("artifacts", DIR, b""),
        ("artifacts/a.txt", FILE, b"one"),
        ("artifacts/b", DIR, b""),
        ("artifacts/b/c.txt", FILE, b"three"),
        ("artifacts/b/empty", FILE, b""),
    ]
    collected = taken(tmp_path, tar(entries))
    assert (collected.files, collected.bytes, collected.told()) == (3, 8, ())
    assert list(listing(tmp_path / "out")) == [("a.txt", 3), ("b/c.txt", 5), ("b/empty", 0)]
    assert (tmp_path / "out/a.txt").stat().st_mode & 0o7777 == 0o640


HOSTILE: dict[str, tuple[list[tuple[str, bytes, bytes | str]], str]] = {
    "a link": ([("artifacts/l", tarfile.SYMTYPE, "/etc/passwd")], "symbolic link"),
    "a hard link": ([("artifacts/l", tarfile.LNKTYPE, "artifacts/x")], "hard link"),
    "a device": ([("artifacts/d", tarfile.CHRTYPE, b"")], "is no regular file but a device"),
    "a disk": ([("artifacts/d", tarfile.BLKTYPE, b"")], "device"),
    "a pipe": ([("artifacts/p", tarfile.FIFOTYPE, b"")], "pipe"),
    "upwards": ([("artifacts/../../x", FILE, b"x")], "leads elsewhere"),
    "from the root": ([("/etc/cron.d/x", FILE, b"x")], "leads elsewhere"),
    "a line's end": ([("artifacts/a\nb", FILE, b"x")], "other characters"),
    "a terminal's code": ([("artifacts/\x1b[2J", FILE, b"x")], "other characters"),
    "another alphabet": ([("artifacts/\u202etxt", FILE, b"x")], "other characters"),
    "a long name": ([("artifacts/" + "a" * 201, FILE, b"x")], "too long"),
    "a deep one": ([("artifacts/" + "a/" * 17, FILE, b"x")], "too long"),
    "too much": ([("artifacts/a", FILE, b"x" * 1001)], "more than 1000 bytes"),
    "twice": (
        [("artifacts/a", FILE, b"x"), ("artifacts/a", FILE, b"y")], "is taken by another"
    ),
    "below a file": (
        [("artifacts/a", FILE, b"x"), ("artifacts/a/b", FILE, b"y")], "is taken by another"
    ),
    "below a link": (
        [("artifacts/a", tarfile.SYMTYPE, "/tmp"), ("artifacts/a/b", FILE, b"y")], "symbolic link"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("entries", "reason"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_not_taken(
    tmp_path: Path, entries: list[tuple[str, bytes, bytes | str]], reason: str
) -> None:
    collected = taken(tmp_path, tar(entries))
    assert collected.refusals == 1
    assert reason in collected.told()[0]
    assert collected.told()[0].isprintable()
    below = list((tmp_path / "out").rglob("*"))
    assert [path for path in below if path.is_symlink()] == []
    assert {path.name for path in tmp_path.iterdir()} <= {"a.tar", "out"}


def test_no_archive(tmp_path: Path) -> None:
    with pytest.raises(tarfile.TarError):
        taken(tmp_path, b"x" * 10_000)
    with pytest.raises(tarfile.TarError, match="it is going down"):
        taken(tmp_path, b'{"message":"it is going down"}\n')


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"\0" * 1024, tar([("artifacts", DIR, b"")])])
def test_a_job_that_left_nothing_is_told_nothing(tmp_path: Path, data: bytes) -> None:
    assert taken(tmp_path, data) == Collected()


def test_bounds() -> None:
    full = Collected(files=MOST_FILES)
    assert judge(Member("a", "file", 1), full, 10) == f"there are more than {MOST_FILES} files"
    assert judge(Member("a", "file with holes", 1), Collected(), 10) is not None
    assert judge(Member("a", "file", 10), Collected(), 10) is None
    assert place("artifacts") == ()


def test_only_some_refusals_are_told() -> None:
    collected = Collected()
    for number in range(50):
        collected.refuse(f"a{number}", "no")
    assert len(collected.told()) == 21
    assert collected.told()[-1] == "and 30 more"


def test_many_entries_cost_no_memory(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar([(f"artifacts/{n}", DIR, b"") for n in range(3000)]))
    tracemalloc.start()
    try:
        assert extract(tmp_path / "a.tar", tmp_path / "out", 1000) == Collected()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 300_000
