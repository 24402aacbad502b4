"""What is kept of a job's artifacts is on the disk before its end is written down; why not, too."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from services.runner.attend import MB
from services.runner.collect import bring_artifacts
from services.runner.guard import Guard, GuardDownError
from services.runner.reports import Reports
from tests.unit.services.guard.given import ID
from tests.unit.services.runner.test_artifacts import FILE, tar

ENTRIES = [("artifacts/a.txt", FILE, b"one"), ("artifacts/b/c.txt", FILE, b"three")]
SYNCED = [
    "jobs/ID/.artifacts/a.txt",
    "jobs/ID/.artifacts/b/c.txt",
    "jobs/ID/.artifacts",
    "jobs/ID/.artifacts/b",
    # Here it has its name.
    "jobs/ID",
    "jobs",
]


class _Guard:
    """Hands out one archive, or so many bytes until it breaks off."""

    def __init__(self, size: int | None = None):
        self._size = size

    async def archive(self, _job_id: str) -> AsyncIterator[bytes]:
        if self._size is None:
            yield tar(list(ENTRIES))
            return
        for start in range(0, self._size, 2**16):
            yield bytes(min(2**16, self._size - start))
        raise GuardDownError("incomplete chunked read")


class Disk:
    """Notes in order what is written through, what has its name by then, and fails at one."""

    def __init__(
        self, root: Path, fails_at: int | None = None, code: int = 0, name: str = "artifacts"
    ):
        self.synced: list[str] = []
        self.named_at: int | None = None
        self._root = root
        self._fails_at = fails_at
        self._code = code
        self._name = name

    def fsync(self, descriptor: int) -> None:
        if self.named_at is None and (self._root / "jobs" / ID / self._name).exists():
            self.named_at = len(self.synced)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if len(self.synced) == self._fails_at:
            raise OSError(self._code, os.strerror(self._code))
        self.synced.append(path.relative_to(self._root).as_posix().replace(ID, "ID"))


def _brought(
    tmp_path: Path, size: int | None = None, limit: int = 1000
) -> tuple[int, tuple[str, ...], list[str]]:
    """How many files were taken, what was refused, and what is in the job's folder after."""
    for name in ("jobs", "tmp"):
        (tmp_path / name).mkdir()
    reports = Reports(tmp_path / "jobs", tmp_path / "tmp")
    reports.make(ID)
    collected = asyncio.run(bring_artifacts(cast(Guard, _Guard(size)), reports, ID, limit))
    left = sorted(path.name for path in reports.folder(ID).rglob("*"))
    return collected.files, collected.told(), left


def test_artifacts_are_written_through_before_they_have_their_name_and_then_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(tmp_path)
    monkeypatch.setattr(os, "fsync", disk.fsync)
    assert _brought(tmp_path) == (2, (), ["a.txt", "artifacts", "b", "c.txt"])
    assert (disk.synced, disk.named_at) == (SYNCED, 4)


@pytest.mark.parametrize("place", range(len(SYNCED)), ids=SYNCED)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_what_the_disk_does_not_take_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int, code: int
) -> None:
    monkeypatch.setattr(os, "fsync", Disk(tmp_path, place, code).fsync)
    files, told, left = _brought(tmp_path)
    assert (files, left) == (0, [])
    assert told == (f"/work/artifacts: cannot be taken: [Errno {code}] {os.strerror(code)}",)


@pytest.mark.parametrize("size", [MB - 2**18, MB, MB + 2**18, 3 * MB])
def test_artifacts_at_whose_limit_the_guard_breaks_off_are_too_large(
    tmp_path: Path, size: int
) -> None:
    told = f"/work/artifacts: cannot be taken: it has more than {MB} bytes"
    assert _brought(tmp_path, size, MB) == (0, (told,), [])


@pytest.mark.parametrize("size", [0, MB // 2])
def test_a_guard_that_goes_away_in_the_middle_has_gone_away(tmp_path: Path, size: int) -> None:
    with pytest.raises(GuardDownError):
        _brought(tmp_path, size, MB)
