"""A job's output on its way: out of Docker's stream, onto disk, and to readers."""

from __future__ import annotations

import base64
import errno
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runner import spool
from services.runner.follow import output_event, place_after
from services.runner.multiplex import Frames, StreamError
from services.runner.spool import Piece, Spool
from tests.unit.services.runner.fake_guard import frame

WRITES = st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40)), max_size=20)


@given(WRITES, st.integers(1, 9))
def test_frames_come_apart_wherever_they_are_cut(
    written: list[tuple[int, bytes]], size: int
) -> None:
    data = b"".join(frame(stream, part) for stream, part in written)
    frames, found = Frames(), {1: b"", 2: b""}
    for start in range(0, len(data), size):
        for stream, part in frames.feed(data[start : start + size]):
            found[stream] += part
    assert found == {
        stream: b"".join(part for each, part in written if each == stream) for stream in (1, 2)
    }


@pytest.mark.parametrize("data", [b"HTTP/1.1", b"\x03\0\0\0\0\0\0\1x", b"\1\0\0\1\0\0\0\1x"])
def test_what_is_no_frame(data: bytes) -> None:
    with pytest.raises(StreamError):
        list(Frames().feed(data))


def spooled(folder: Path, writes: list[tuple[int, bytes]], limit: int = 1 << 20) -> Spool:
    made = Spool(folder, limit)
    half = len(writes) // 2
    made.write_all(writes[:half])
    for stream, data in writes[half:]:
        made.write(stream, data)
    made.close()
    return made


def pieces(folder: Path, start: int = 0, most: int = 16) -> list[Piece]:
    found = []
    while (piece := spool.read(folder, start, most)) is not None:
        assert piece.end > start
        start = piece.end
        found.append(piece)
    return found


@given(WRITES, st.integers(1, 99))
def test_what_is_written_is_read_from_any_place(
    tmp_path_factory: pytest.TempPathFactory, writes: list[tuple[int, bytes]], most: int
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spooled(folder, writes)
    data = b"".join(part for _, part in writes)
    streams = b"".join(bytes([stream]) * len(part) for stream, part in writes)
    for start in {0, len(data) // 2, len(data)}:
        found = pieces(folder, start, most)
        assert b"".join(piece.data for piece in found) == data[start:]
        assert b"".join(bytes([p.stream]) * len(p.data) for p in found) == streams[start:]


def test_pieces_end_with_lines_where_they_can(tmp_path: Path) -> None:
    spooled(tmp_path, [(1, b"one\ntwo\nthree"), (2, b"oh\n")])
    assert [piece.data for piece in pieces(tmp_path, most=10)] == [b"one\ntwo\n", b"three", b"oh\n"]


def test_what_is_read_of_a_long_log_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mb = 2**20
    spooled(tmp_path, [(1, b"x" * 6 * mb)], limit=7 * mb)
    forgotten = []
    monkeypatch.setattr(os, "posix_fadvise", lambda *said: forgotten.append(said[1:]))
    pieces(tmp_path, most=mb // 2)
    assert forgotten == [
        (start * mb, size * mb, os.POSIX_FADV_DONTNEED)
        for start, size in ((0, 1), (0, 2), (0, 3), (0, 4), (1, 4), (2, 4))
    ]


def test_no_more_than_the_limit_is_kept(tmp_path: Path) -> None:
    made = Spool(tmp_path, 64)
    assert made.write(1, b"x" * 60)
    assert not made.write(1, b"y" * 60)
    assert not made.write(1, b"z")
    assert (made.size, made.truncated) == (64, True)
    made.close()
    assert (tmp_path / "log").read_bytes() == b"x" * 60 + b"yyyy"


def test_changes_of_streams_are_bounded_too(tmp_path: Path) -> None:
    made = spooled(tmp_path, [(1 + turn % 2, b".") for turn in range(64)], limit=64)
    assert made.size == 64
    assert (tmp_path / "log.streams").stat().st_size == 64


def test_a_full_disk_truncates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Spool(tmp_path, 1000)
    made.write(1, b"before")

    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert not made.write(1, b"after")
    assert (made.size, made.truncated) == (6, True)
    made.close()


def test_what_comes_after_the_end_is_not_taken(tmp_path: Path) -> None:
    made = spooled(tmp_path, [(1, b"a")])
    assert not made.write(1, b"b")
    assert (tmp_path / "log").read_bytes() == b"a"


@given(st.binary(min_size=1))
def test_an_event_is_lossless(data: bytes) -> None:
    lines = output_event(Piece(2, data, 7)).split("\n")
    said = json.loads(lines[2].removeprefix("data: "))
    text = said["text"].encode() if "text" in said else base64.b64decode(said["base64"])
    assert (lines[0], lines[1], lines[3:]) == ("id: 7", "event: output", ["", ""])
    assert (said["stream"], text) == ("stderr", data)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        (None, 0),
        ("4711", 4711),
        ("", 0),
        ("-1", 0),
        ("x", 0),
        ("\u0663", 0),
        ("9" * 99, 10**15 - 1),
    ],
)
def test_where_a_reader_goes_on(said: str | None, place: int) -> None:
    assert place_after(said) == place
