"""How many files a job has: a flood of empty ones fills no disk, but takes all inodes of one.

Docker tells the bytes of a volume and not its files. What costs nothing to ask is how many inodes
are taken on the filesystem of Docker's data: the guard's own root is there too. Only when more were
taken since a job began than it may have, the headers in the archive of its /work are counted.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from services.guard.docker import Docker, DockerError, DockerGoneError
from services.jobs import names

COUNT_SECONDS = 60
"""A count takes so long at most; what was found until then counts."""
DEEP = 3500
"""A name in /work of so many bytes may be that of a folder whose files have paths of more than the
kernel takes, 4096. Docker leaves those out of an archive without a word."""

_BLOCK = 512
_SIZE = slice(124, 136)
_TYPE = 156
_NO_ENTRIES = b"xgLK"
"""Types of headers that say more of the entry behind them."""


def taken(path: Path = Path("/")) -> int:
    """Return how many inodes are taken on the filesystem of a path; 0 where that has no count."""
    found = os.statvfs(path)
    return found.f_files - found.f_ffree


class Headers:
    """Counts the entries of a tar archive that comes in pieces."""

    def __init__(self) -> None:
        self.entries = 0
        self._has_ended = False
        self._is_deep = False
        self._header = bytearray()
        self._left = 0
        """Bytes of the current entry's content that are still to come."""

    @property
    def is_whole(self) -> bool:
        """Whether all there is was counted: the archive came to its end, and nothing is so deep
        that Docker may have left out what is below."""
        return self._has_ended and not self._is_deep

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raise ValueError for what is no archive."""
        place = 0
        while place < len(data):
            if self._left:
                passed = min(self._left, len(data) - place)
                self._left, place = self._left - passed, place + passed
                continue
            need = _BLOCK - len(self._header)
            self._header += data[place : place + need]
            place += need
            if len(self._header) == _BLOCK:
                self._count(bytes(self._header))
                self._header.clear()

    def _count(self, header: bytes) -> None:
        if not any(header):
            self._has_ended = True
            return
        size = _number(header[_SIZE])
        self._left = -(-size // _BLOCK) * _BLOCK
        if header[_TYPE] in _NO_ENTRIES:
            # A name that is too long for a header stands behind one of these.
            self._is_deep |= size >= DEEP
        else:
            self.entries += 1


def _number(field: bytes) -> int:
    """Return a number of a header: octal digits, or bytes where the first has its high bit set."""
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    return int(field.strip(b"\0 ") or b"0", 8)


async def counted(docker: Docker, full_id: str, most: int) -> tuple[int, bool]:
    """Return how many files and folders a container has in /work, or more than `most`, and whether
    that are all. Docker leaves out sockets."""
    headers = Headers()
    path, query = f"/containers/{full_id}/archive", {"path": names.WORK}
    with suppress(DockerError, DockerGoneError, ValueError):
        async with docker.stream("GET", path, query, seconds=COUNT_SECONDS) as answer:
            async for chunk in answer.content.iter_any():
                headers.feed(chunk)
                if headers.entries > most:
                    break
    return headers.entries, headers.is_whole
