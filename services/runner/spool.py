"""A job's output on disk, bounded: written once as it comes, read from any place by anybody.

    log          the bytes, stdout and stderr as they came
    log.streams  where the stream changes: 8 bytes each, the place in `log` times 4 plus the stream

A place in `log` is where a reader goes on, so that nothing of it is kept in memory.
"""

from __future__ import annotations

import bisect
import errno
import itertools
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from services.runner.multiplex import STDOUT

LOG = "log"
STREAMS = "log.streams"
_CHANGE = 8
_MB = 2**20
_BEHIND = 4 * _MB
"""How far behind a reader what it has read may still be on its way to the disk."""


@dataclass(frozen=True)
class Piece:
    """Some bytes of one stream, and the place after them."""

    stream: int
    data: bytes
    end: int


class Spool:
    """Writes a job's output into its folder: `limit` bytes, and as many for changes of streams.

    The guard sends no more than that limit either, and does not tell whether there was more: output
    that reaches it counts as truncated.
    """

    def __init__(self, folder: Path, limit: int):
        self._limit = limit
        # A write goes on in its thread when whoever waited for it is gone.
        self._lock = threading.Lock()
        self._is_open = True
        self._stream = 0
        self.size = 0
        self.truncated = False
        folder.mkdir(mode=0o750, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        self._log = os.open(folder / LOG, flags, 0o640)
        self._streams = os.open(folder / STREAMS, flags, 0o640)
        self._changes = 0

    def write_all(self, parts: Iterable[tuple[int, bytes]]) -> bool:
        """Append what came from streams, as `write` does."""
        return all(
            self.write(stream, b"".join(data for _, data in same))
            for stream, same in itertools.groupby(parts, key=lambda part: part[0])
        )

    def cut_off(self) -> None:
        """Take no more: the rest does not come."""
        with self._lock:
            self.truncated = True

    def write(self, stream: int, data: bytes) -> bool:
        """Append what came from a stream. Return False when there is no more room, by the limit or
        on the disk: then nothing more is taken."""
        with self._lock:
            return self._is_open and not self.truncated and self._write(stream, data)

    def _write(self, stream: int, data: bytes) -> bool:
        has_room = (self._changes + 1) * _CHANGE <= self._limit
        try:
            if stream != self._stream and has_room:
                os.write(self._streams, (self.size << 2 | stream).to_bytes(_CHANGE, "big"))
                self._stream, self._changes = stream, self._changes + 1
            view = memoryview(data)[: self._limit - self.size]
            while view:
                written = os.write(self._log, view)
                self.size += written
                view = view[written:]
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            self.truncated = True
        self.truncated |= self.size >= self._limit
        return not self.truncated

    def close(self) -> None:
        """Write all through to the disk. What comes later is not taken."""
        with self._lock:
            if not self._is_open:
                return
            self._is_open = False
            for descriptor in (self._streams, self._log):
                os.fsync(descriptor)
                os.close(descriptor)


def read(folder: Path, start: int, most: int) -> Piece | None:
    """Return at most so many bytes from a place on, all of one stream and, where it can be, ending
    with a line; None when there are none. Raise FileNotFoundError when the log was removed."""
    with (folder / LOG).open("rb") as log:
        log.seek(start)
        data = log.read(most)
        end = start + len(data)
        if start // _MB != end // _MB:
            _forget(log.fileno(), end)
    if not data:
        return None
    stream, change = _at(folder, start)
    data = data[: change - start] if change is not None else data
    line = data.rfind(b"\n") + 1
    data = data[:line] if line else data
    return Piece(stream, data, start + len(data))


def _forget(descriptor: int, end: int) -> None:
    """Have the system forget what is before a place of a file, once it is on the disk.

    What was written and then read counts for it as in use, so that whoever follows a long log would
    have all of it counted as memory that the runner needs.
    """
    begin = max(0, end - _BEHIND)
    os.posix_fadvise(descriptor, begin, end - begin, os.POSIX_FADV_DONTNEED)


def _at(folder: Path, place: int) -> tuple[int, int | None]:
    """Return the stream at a place, and the place of the next change, None when there is none."""
    with (folder / STREAMS).open("rb") as file:
        count = file.seek(0, os.SEEK_END) // _CHANGE
        changes = _Changes(file.fileno(), count)
        after = bisect.bisect_right(changes, place, key=lambda change: change >> 2)
        stream = changes[after - 1] & 3 if after else STDOUT
        return stream, changes[after] >> 2 if after < count else None


class _Changes:
    """The changes of a file as a sequence: what is looked at is read, and no more."""

    def __init__(self, descriptor: int, count: int):
        self._descriptor = descriptor
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> int:
        data = os.pread(self._descriptor, _CHANGE, index * _CHANGE)
        return int.from_bytes(data, "big")
