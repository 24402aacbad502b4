"""The audit chain as files that only grow: each line of the store, once, in its order.

The files are what the store's lines make them, to the byte. So a line that a crash cut is completed
from the store, and a file that is not a beginning of them was touched: then nothing more is written
and the reason is told, until somebody has looked.
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

from services.audit import chain
from services.audit.chain import LINES_A_FILE
from services.runner.desk import Desk
from services.runner.store import Store, StoreError

log = logging.getLogger(__name__)

_BATCH = 500
_AGAIN_SECONDS = 5.0


class TouchedError(Exception):
    """The exported chain is not what the store's lines make it."""


def position(name: str, content: bytes) -> tuple[int, bytes, bytes]:
    """Given the name and the bytes of the last file, return the number of its last whole line, that
    line, and what follows it: the beginning of a line that was cut, or nothing.

    Raise TouchedError when the name is none of a file of lines.
    """
    stem = name.removesuffix(chain.SUFFIX)
    if not stem.isdecimal() or chain.file_name(int(stem)) != name:
        raise TouchedError(f"{name} is no name of a file of this chain")
    *lines, rest = content.split(b"\n")
    return int(stem) - 1 + len(lines), lines[-1] if lines else b"", rest


class Exporter:
    """Appends the store's audit lines to the files of a folder."""

    def __init__(self, desk: Desk, folder: Path):
        self._desk = desk
        self._folder = folder
        self._wake = asyncio.Event()
        self._seq: int | None = None
        self._rest = b""
        self.problem = ""
        """Why the export does not go on; empty while it does."""

    @property
    def exported(self) -> int:
        """The number of the last line that is in a file."""
        return self._seq or 0

    def wake(self) -> None:
        """There are new lines."""
        self._wake.set()

    async def run(self) -> None:
        """Export for ever."""
        while True:
            self._wake.clear()
            try:
                await self.catch_up()
                self.problem = ""
                await self._wake.wait()
            except TouchedError as error:
                self._fail(
                    f"the exported audit chain was touched: {error}; look at it with "
                    "`clup audit verify`, and move it elsewhere to begin anew"
                )
                await asyncio.sleep(_AGAIN_SECONDS)
            except (OSError, StoreError) as error:
                self._fail(f"the audit chain cannot be exported: {error}")
                await asyncio.sleep(_AGAIN_SECONDS)

    def _fail(self, problem: str) -> None:
        if problem != self.problem:
            log.error("%s", problem)
        self.problem, self._seq = problem, None

    async def catch_up(self) -> None:
        """Write all lines that are not yet in a file. Raise TouchedError, OSError, StoreError."""
        if self._seq is None:
            self._seq, self._rest = await self._resume()
        while lines := await self._desk(Store.lines, self._seq, _BATCH):
            file = chain.file_name(lines[0][0])
            own = [(seq, text) for seq, text in lines if chain.file_name(seq) == file]
            data = "".join(f"{text}\n" for _, text in own).encode()
            if not data.startswith(self._rest):
                raise TouchedError(f"{file} ends with what is no line {own[0][0]}")
            await asyncio.to_thread(_append, self._folder / file, data[len(self._rest) :])
            self._seq, self._rest = own[-1][0], b""
        if self._rest:
            raise TouchedError(f"it has more than the {self._seq} lines of the store")

    async def _resume(self) -> tuple[int, bytes]:
        files = sorted(self._folder.glob(f"*{chain.SUFFIX}"))
        if not files:
            return 0, b""
        content = await asyncio.to_thread(files[-1].read_bytes)
        seq, last, rest = position(files[-1].name, content)
        if seq:
            known = [text for _, text in await self._desk(Store.lines, seq - 1, 1)]
            whole = not last and (seq % LINES_A_FILE) == 0
            if not whole and known != [last.decode(errors="replace")]:
                raise TouchedError(f"line {seq} of {files[-1].name} is not the store's")
        return seq, rest


def _append(path: Path, data: bytes) -> None:
    """Append to a file and write it through to the disk."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    descriptor = os.open(path, flags, 0o640)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
