from __future__ import annotations

import errno
import mmap
import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from clup.machine import blank
from clup.machine.blank import CHUNK, _read, describe, first_stray, looks_like, prove, sampled
from clup.machine.ext4 import used_between
from clup.machine.process import RefusedError

MIB = 1 << 20
ZERO = bytes(512)
SIZE = 2 * CHUNK + 1536


def sector(text: bytes, at: int = 0) -> bytes:
    return bytes(at) + text + bytes(512 - at - len(text))


@pytest.mark.parametrize(
    ("found", "allowed", "stray"),
    [
        (ZERO * 4, None, None),
        (ZERO + sector(b"x", 7), None, 519),
        (ZERO + sector(b"x", 7), ZERO * 2, 519),
        (ZERO + sector(b"x", 7), ZERO + sector(b"x", 7), None),
        (ZERO * 2, sector(b"ours") * 2, None),
        (sector(b"ours") + ZERO, sector(b"ours") * 2, None),
        (sector(b"ours") + sector(b"their"), sector(b"ours") * 2, 512),
        (sector(b"ours") + sector(b"our"), sector(b"ours") * 2, 512),
        (sector(b"a") + b"b", sector(b"a"), 512),
    ],
)
def test_a_sector_is_zeros_or_ours(found: bytes, allowed: bytes | None, stray: int | None) -> None:
    assert first_stray(found, allowed) == stray


def test_a_sample_takes_both_ends_one_in_64_and_all_that_is_used() -> None:
    ranges = sampled(1024 * MIB, [(100 * MIB, 101 * MIB), (128 * MIB, 140 * MIB)])
    assert ranges[:3] == [(0, 65 * MIB), (100 * MIB, 101 * MIB), (128 * MIB, 140 * MIB)]
    assert ranges[-1] == (960 * MIB, 1024 * MIB)
    assert sum(end - start for start, end in ranges) == (65 + 1 + 12 + 12 + 64) * MIB
    assert sampled(16 * MIB, []) == [(0, 16 * MIB)]


def test_what_dumpe2fs_calls_free_is_not_used() -> None:
    listing = """Group 0: (Blocks 0-99) csum 0x1
  Free blocks: 10-19, 30
Group 1: (Blocks 100-199)
  Free blocks:
Group 2: (Blocks 200-299)
  Free blocks: 200-290"""
    used = [(start // 4096, end // 4096) for start, end in used_between(listing, 300)]
    assert used == [(0, 10), (20, 30), (31, 200), (291, 300)]


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (sector(b"EFI PART"), "the header of a GUID partition table"),
        (sector(b"\x53\xef", 0x38), "a superblock of an ext filesystem, or a backup copy of one"),
        (sector(b"ustar", 257), "a tar archive"),
        (sector(b"hello"), None),
    ],
)
def test_what_a_sector_looks_like(found: bytes, name: str | None) -> None:
    assert looks_like(found) == name


def test_a_stray_is_shown_with_its_place() -> None:
    assert (
        describe(sector(b"hello", 3), 1024 + 3) == "byte 1027 is not zero (b'hello' begins there)"
    )


@pytest.mark.parametrize(
    ("number", "why"), [(errno.ENODATA, "medium error"), (errno.EIO, "Input/output error")]
)
def test_a_place_that_cannot_be_read_is_told(
    number: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "preadv", fails)
    with pytest.raises(RefusedError) as refused:
        read(tmp_path, bytes(8192))
    assert str(refused.value) == f"byte 4096 cannot be read ({why}); look at `dmesg`"


@pytest.mark.parametrize(
    ("content", "why"),
    [(bytes(4100), "the disk ends at byte 4100, before its size"), (b"", "was pulled out before")],
)
def test_a_disk_that_ends_too_soon(content: bytes, why: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=why):
        read(tmp_path, content)


@pytest.fixture
def cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disks of these tests are files, which need not lie where O_DIRECT can read."""
    monkeypatch.setattr(blank, "_direct", lambda fd: nullcontext())


PLACES = (0, 511, 512, CHUNK - 1, CHUNK, 2 * CHUNK - 1, 2 * CHUNK, SIZE - 512, SIZE - 1)


@pytest.mark.usefixtures("cached")
@pytest.mark.parametrize("at", PLACES)
def test_one_byte_anywhere_is_found(at: int, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=f"^byte {at} is not zero "):
        proven(tmp_path, SIZE, at)


@pytest.mark.usefixtures("cached")
def test_a_blank_disk_is_proven_up_to_its_end(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proven(tmp_path, SIZE)
    assert f"/dev/x: {SIZE} bytes read in " in capsys.readouterr().out
    with pytest.raises(RefusedError, match=f"ends at byte {SIZE - 512}, before its size"):
        proven(tmp_path, SIZE - 512)


@pytest.mark.usefixtures("cached")
def test_a_read_that_brings_nothing_is_no_blank_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "preadv", lambda fd, buffers, at: len(buffers[0]))
    with pytest.raises(RefusedError, match=r"^byte 0 is not zero "):
        proven(tmp_path, SIZE)


def proven(folder: Path, size: int, at: int | None = None) -> None:
    """Have a disk proven blank that should have SIZE bytes, all zeros but the one at `at`."""
    with (folder / "disk").open("w+b") as file:
        os.ftruncate(file.fileno(), size)
        if at is not None:
            os.pwrite(file.fileno(), b"\1", at)
        prove(file.fileno(), "/dev/x", [(0, SIZE)], None, 60)


def read(folder: Path, content: bytes) -> None:
    """Have a sector read of a disk with this content."""
    disk = folder / "disk"
    disk.write_bytes(content)
    with disk.open("rb") as file, mmap.mmap(-1, 512) as memory:
        _read(file.fileno(), memory, 4096, 512)
