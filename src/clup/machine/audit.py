"""`python -m clup.machine.audit chain|lines [ID]`: the audit records of this machine's job runner.

A JSON object a line: with `chain` first the guard's ledger, then each file of the exported chain in
its order, each in pieces of `data` (zlib, base64) under its `name`; with `lines` the lines of jobs
whose id begins with ID. The ledger comes first: a head that it holds is in the chain a moment
later.
"""

from __future__ import annotations

import base64
import json
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
_SUFFIX = ".jsonl"


def chain(records: Records) -> Iterator[dict[str, Any]]:
    """Yield the ledger and the files of the chain, in pieces. Raise RefusedError."""
    yield from pieces(LEDGER, records.ledger)
    for path in files(records):
        yield from pieces(path.name, path)


def lines(records: Records, begun: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of jobs whose id begins so; what is no line is passed over."""
    for path in files(records):
        for line in _read(path).split(b"\n"):
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


def pieces(name: str, path: Path) -> Iterator[dict[str, Any]]:
    """Yield a file in pieces, at least one. Raise RefusedError when it cannot be read."""
    content = _read(path)
    for start in range(0, max(len(content), 1), _PIECE):
        packed = base64.b64encode(zlib.compress(content[start : start + _PIECE])).decode()
        yield {"event": "file", "name": name, "data": packed}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RefusedError(f"{path}: cannot be read: {error.strerror}") from None


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
