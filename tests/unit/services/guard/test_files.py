"""A flood of files is counted when so many inodes are taken that it may be one."""

from __future__ import annotations

import asyncio
import io
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from services.guard import watch
from services.guard.body import limits_text
from services.guard.docker import DockerGoneError
from services.guard.files import Headers, taken
from services.guard.owned import owned
from services.guard.watch import Seen
from services.jobs import Limits
from tests.unit.services.guard.given import ID, new_watch

FULL = "f" * 64


def archive(names: list[str], form: int = tarfile.PAX_FORMAT) -> bytes:
    """An archive of files with these names, each with a little in it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as made:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = len(name)
            made.addfile(entry, io.BytesIO(name.encode()))
    return buffer.getvalue()


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("piece", [1, 511, 512, 4000, 1 << 20])
def test_entries_are_counted_however_the_archive_comes(form: int, piece: int) -> None:
    data = archive(["a", "b" * 300, "\u00e9" * 80, *(f"n/{n}" for n in range(20))], form)
    headers = Headers()
    for place in range(0, len(data), piece):
        headers.feed(data[place : place + piece])
    assert (headers.entries, headers.is_whole) == (23, True)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize(
    ("longest", "most", "expected"),
    [(3000, None, True), (3900, None, False), (10, 1024, False)],
)
def test_what_is_known_to_be_all_there_is(
    form: int, longest: int, most: int | None, expected: bool
) -> None:
    """Below a folder with a long name Docker leaves files out, and the archive looks whole."""
    headers = Headers()
    headers.feed(archive(["n" * longest], form)[:most])
    assert headers.is_whole == expected


def test_a_large_file_is_one_entry() -> None:
    entry = tarfile.TarInfo("large")
    entry.size = 1 << 34
    headers = Headers()
    headers.feed(entry.tobuf(tarfile.GNU_FORMAT))
    for _ in range(3):
        headers.feed(b"x" * (1 << 20))
    assert headers.entries == 1


def test_what_is_no_archive_is_told() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        Headers().feed(b"x" * 512)


def test_inodes_are_taken_here() -> None:
    assert taken() >= 0


class Docker:
    """Has one container, whose files are these; notes what it was asked."""

    def __init__(self, files: int, is_gone: bool = False, deep: str = ""):
        self.data = archive([f"{deep}{number}" for number in range(files)])
        self.is_gone = is_gone
        self.asked: list[str] = []

    @asynccontextmanager
    async def stream(self, method: str, path: str, *_: object, **__: object) -> AsyncIterator[Any]:
        self.asked.append(f"{method} {path}")
        if self.is_gone:
            raise DockerGoneError("away")
        yield SimpleNamespace(content=self)

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self.data

    async def call(self, method: str, path: str, *_: object, **__: object) -> None:
        self.asked.append(f"{method} {path}")


def seen(most: int, inodes: int) -> Seen:
    labels = {
        "clup.class": "job", "clup.job": "x", "clup.job.id": ID,
        "clup.job.limits": limits_text(Limits(files=most)),
    }  # fmt: skip
    said = {"Id": FULL, "Name": f"/clup-job-{ID}", "Config": {"Labels": labels}}
    container = owned(said, ID)
    assert container is not None
    return Seen(container, 0.0, 0.0, inodes)


def looked(docker: Docker, job: Seen, *inodes: int) -> list[str]:
    """What Docker was asked while so many inodes were taken, one look after the other."""

    async def story() -> None:
        watching = new_watch(docker)
        for each in inodes:
            await watching._count(job, each)
        if job.ending:
            await job.ending

    asyncio.run(story())
    return docker.asked


COUNT, KILL = f"GET /containers/{FULL}/archive", f"POST /containers/{FULL}/kill"


def test_a_flood_is_ended() -> None:
    job = seen(100, 5000)
    assert looked(Docker(150), job, 5100, 5101) == [COUNT, KILL]
    assert job.reason == "disk_full"


def test_what_others_took_is_not_held_against_a_job() -> None:
    job = seen(100, 5000)
    docker = Docker(40)
    # 40 are its own, so that 5101 - 40 are others': it may have 60 more before it is looked at.
    assert looked(docker, job, 5101, 5160, 5161) == [COUNT]
    assert looked(docker, job, 5162) == [COUNT, COUNT]
    assert (job.reason, job.usage) == ("", {"files": 40})


def test_what_others_gave_back_hides_no_flood() -> None:
    job = seen(100, 5000)
    assert looked(Docker(150), job, 4000, 4101) == [COUNT, KILL]


def test_a_count_that_cannot_be_made_ends_nothing() -> None:
    job = seen(100, 5000)
    assert looked(Docker(150, is_gone=True), job, 5101) == [COUNT]
    assert job.reason == ""


@pytest.mark.parametrize("docker", [Docker(40, is_gone=True), Docker(40, deep="d/" * 1900)])
def test_what_a_count_may_have_missed_is_not_booked_as_others(docker: Docker) -> None:
    job = seen(100, 5000)
    assert looked(docker, job, 5101) == [COUNT]
    assert (job.inodes, job.reason, job.usage) == (5000, "", {})


def test_a_count_that_was_not_whole_is_made_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The first begins at 100 and takes 10 s, of which five times as much is left to others.
    clock = iter([100.0, 110.0, 159.0, 161.0, 162.0])
    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    assert looked(Docker(150, is_gone=True), seen(100, 5000), 5101, 5101, 5101) == [COUNT, COUNT]
