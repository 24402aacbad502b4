"""The proof that a disk is blank: which bytes may be on it, and reading all of them."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from clup.machine.process import RefusedError, say

SECTOR = 512
PAGE = 4096
CHUNK = 4 << 20
ZEROS = bytes(CHUNK)
UNREAD = b"\xff" * (CHUNK // PAGE)
SAMPLE_ENDS = 64 << 20
SAMPLE_EVERY = 64 << 20
SAMPLE = 1 << 20

MAGICS = (
    (0, b"EFI PART", "the header of a GUID partition table"),
    (0x38, b"\x53\xef", "a superblock of an ext filesystem, or a backup copy of one"),
    (0, b"\xc0\x3b\x39\x98", "the journal of an ext filesystem"),
    (257, b"ustar", "a tar archive"),
    (0, b"LUKS\xba\xbe", "a LUKS header"),
    (0, b"SKUL\xba\xbe", "the second header of a LUKS container"),
    (0, b"LABELONE", "an LVM label"),
    (0, b"XFSB", "an XFS superblock, or a copy of one"),
    (510, b"\x55\xaa", "a boot sector"),
)
"""Offset in a sector, the bytes there, and what they begin; to explain, never to decide."""


def looks_like(sector: bytes) -> str | None:
    """Given one sector, return the name of what it is known to begin or hold, or None."""
    for offset, value, name in MAGICS:
        if sector[offset : offset + len(value)] == value:
            return name
    return None


def describe(sector: bytes, at: int) -> str:
    """Given a sector and the disk's offset of its first byte that is out of place, describe it."""
    first = at % SECTOR
    shown = sector[first : first + 16].rstrip(b"\0")
    known = looks_like(sector)
    text = f"byte {at} is not zero ({shown!r} begins there)"
    return f"{text}; it looks like {known}" if known else text


def erase_it(path: str) -> str:
    """Return the cure for a disk that holds something nobody needs."""
    return f"if nothing on it is needed, erase it yourself with `blkdiscard -fz {path}`"


def first_stray(found: bytes, allowed: bytes | None) -> int | None:
    """Return the offset in `found` of the first byte of a sector that is neither zero nor allowed.

    `allowed` holds what a cut run may have written there: a disk writes sectors whole, so that
    each of them is the old one or the new one.
    """
    for start in range(0, len(found), SECTOR):
        sector = found[start : start + SECTOR]
        if any(sector) and (allowed is None or sector != allowed[start : start + SECTOR]):
            return start + next(i for i, byte in enumerate(sector) if byte)
    return None


def sampled(size: int, used: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranges that a sample of a disk of `size` bytes reads: (start, end), merged.

    Both ends, one piece in each 64 MiB, and in full what the filesystem takes for zero: its own
    inode tables and journal (`used`).
    """
    ends = [(0, min(size, SAMPLE_ENDS)), (max(0, size - SAMPLE_ENDS), size)]
    spots = [(at, min(size, at + SAMPLE)) for at in range(0, size, SAMPLE_EVERY)]
    merged: list[tuple[int, int]] = []
    for start, end in sorted([*ends, *spots, *used]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def prove(
    fd: int, path: str, ranges: list[tuple[int, int]], image: int | None, deadline: float
) -> None:
    """Read the ranges of the disk. Raise RefusedError at the first byte that is out of place.

    Zeros are in place, and where `image` is given what a cut run of it may have written. Reading
    all of them may take `deadline` seconds.
    """
    total = sum(end - start for start, end in ranges)
    began = told = time.monotonic()
    read = 0
    with _direct(fd), mmap.mmap(-1, CHUNK) as memory:
        for at, length in _chunks(ranges):
            # What a read claims to have brought, and did not, must not look like zeros.
            memory[::PAGE] = UNREAD
            _read(fd, memory, at, length)
            # Compared where it lies: a copy of it would cost twice the time.
            with memoryview(memory)[:length] as seen:
                is_zero = ZEROS.startswith(seen)
            if not is_zero:
                found = memory[:length]
                allowed = None if image is None else os.pread(image, length, at)
                stray = first_stray(found, allowed)
                if stray is not None:
                    sector = found[stray // SECTOR * SECTOR :][:SECTOR]
                    raise RefusedError(f"{describe(sector, at + stray)}; {erase_it(path)}")
                if image is None:
                    raise RefusedError(
                        f"byte {at}: what was read changed while it was looked at; look at `dmesg`"
                    )
            read += length
            now = time.monotonic()
            if now - began > deadline:
                raise RefusedError(
                    f"only {read} of {total} bytes were read in {deadline:.0f} s; "
                    "look at `dmesg`: the disk may be failing"
                )
            if now - told >= 1:
                told = now
                say(progress(path, read, total, now - began))
    say(f"{path}: {total} bytes read in {time.monotonic() - began:.1f} s, nothing out of place")


def progress(path: str, read: int, total: int, seconds: float) -> str:
    """Given the bytes read so far, of how many, in how many seconds, return a line of progress."""
    rate = read / max(seconds, 0.001)
    return (
        f"{path}: read {read / 1e9:.1f} of {total / 1e9:.1f} GB, nothing found, "
        f"{rate / 1e6:.0f} MB/s, about {(total - read) / max(rate, 1):.0f} s left"
    )


def _chunks(ranges: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, end in ranges:
        for at in range(start, end, CHUNK):
            yield at, min(CHUNK, end - at)


@contextmanager
def _direct(fd: int) -> Iterator[None]:
    """Have reads come from the disk itself, past the machine's memory (open(2), O_DIRECT).

    What is proven is what the disk holds, the machine's cache keeps what it had, and it is the
    faster way: ten times in an emulated machine.
    """
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    fcntl.fcntl(fd, fcntl.F_SETFL, flags | os.O_DIRECT)
    try:
        yield
    finally:
        fcntl.fcntl(fd, fcntl.F_SETFL, flags)


def _read(fd: int, memory: mmap.mmap, at: int, length: int) -> None:
    try:
        with memoryview(memory)[:length] as buffer:
            got = os.preadv(fd, [buffer], at)
    except OSError as error:
        _refuse_if_gone(fd, at)
        # The kernel says "No data available" of a disk that reports a place as bad.
        why = "medium error" if error.errno == errno.ENODATA else error.strerror
        raise RefusedError(f"byte {at} cannot be read ({why}); look at `dmesg`") from error
    if got != length:
        _refuse_if_gone(fd, at)
        raise RefusedError(f"the disk ends at byte {at + got}, before its size; look at `dmesg`")


def _refuse_if_gone(fd: int, at: int) -> None:
    """Raise RefusedError if the disk was pulled out: its size is 0 then, if not at once."""
    for _ in range(10):
        if os.lseek(fd, 0, os.SEEK_END) == 0:
            raise RefusedError(f"was pulled out before byte {at} was read; attach it, then apply")
        time.sleep(0.1)
