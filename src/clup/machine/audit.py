"""`python -m clup.machine.audit chain|lines [ID]`: the audit records of this machine's job runner.

A JSON object a line: with `chain` first the guard's ledger, then each file of the exported chain in
its order, each in pieces of `data` (zlib, base64) under its `name`; with `lines` the lines of jobs
whose id begins with ID. The ledger comes first: a head that it holds is in the chain a moment
later.

The folder of the chain is the runner's, and this runs as root: a hostile runner may have put a link
to a device, a pipe or a file without end there. So only plain files are read, each to a bound.
"""

from __future__ import annotations

import base64
import errno
import itertools
import json
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clup.machine import runner_places
from clup.machine.process import RefusedError
from clup.machine.runner_places import Records

LEDGER = "ledger"
_PIECE = 1 << 20
_MOST = 256 << 20
"""Bytes of a file of the chain. Its 50,000 lines are about 30 MB, and more with long parameters."""
_MOST_OF_LEDGER = 1 << 30
"""Bytes of the ledger, a file for ever: 200 for each job that was run."""
_SUFFIX = ".jsonl"


def chain(records: Records) -> Iterator[dict[str, Any]]:
    """Yield the ledger and the files of the chain, in pieces. Raise RefusedError."""
    yield from pieces(LEDGER, records.ledger, _MOST_OF_LEDGER)
    for path in files(records):
        yield from pieces(path.name, path, _MOST)


def lines(records: Records, begun: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of jobs whose id begins so; what is no line is passed over."""
    for path in files(records):
        for line in b"".join(_read(path, _MOST)).split(b"\n"):
            try:
                record = json.loads(line)
                found = str(record["id"]).startswith(begun)
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            if found:
                yield {"event": "line", "line": record}


def files(records: Records) -> list[Path]:
    """Return the files of the chain in its order. Raise RefusedError when there is no folder."""
    if not records.chain.is_dir():
        raise RefusedError(f"{records.chain}: is no folder; nothing was exported here")
    return sorted(records.chain.glob(f"*{_SUFFIX}"))


def pieces(name: str, path: Path, most: int) -> Iterator[dict[str, Any]]:
    """Yield a file in pieces, at least one. Raise RefusedError when it cannot be read, is no plain
    file, or has more bytes than it may."""
    content = _read(path, most)
    for piece in itertools.chain([next(content, b"")], content):
        packed = base64.b64encode(zlib.compress(piece)).decode()
        yield {"event": "file", "name": name, "data": packed}


def _read(path: Path, most: int) -> Iterator[bytes]:
    # Without O_NONBLOCK a pipe holds up whoever opens it until somebody writes to it.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise _foreign(path)
            size, read = found.st_size, 0
            while max(size, read) <= most:
                piece = os.read(descriptor, _PIECE)
                if not piece:
                    return
                yield piece
                # It may grow while it is read.
                read += len(piece)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _foreign(path) from None
        raise RefusedError(f"{path}: cannot be read: {error.strerror}") from None
    raise RefusedError(
        f"{path}: has more than {most} bytes, which no record of jobs has; see who wrote it, and "
        "move it elsewhere"
    )


def _foreign(path: Path) -> RefusedError:
    return RefusedError(
        f"{path}: is a link or another thing that is no file, which neither runner nor guard puts "
        "there; see whose it is, and move it elsewhere"
    )


def main(words: list[str]) -> None:
    """Write what was asked for."""
    try:
        records = runner_places.records()
        found = lines(records, words[1]) if words[0] == "lines" else chain(records)
        for event in found:
            sys.stdout.write(json.dumps(event) + "\n")
    except RefusedError as error:
        fault = {"event": "fault", "code": "no_records", "message": str(error), "problems": []}
        sys.stdout.write(json.dumps(fault) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
