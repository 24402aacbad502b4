"""A chain of audit lines: each holds the hash of the one before, so that none can change alone.

A line is the canonical JSON of its event with four keys more:

    seq    1, 2, 3 ... without a gap
    time   UTC, ISO 8601
    prev   hash of the line before; GENESIS for the first
    hash   SHA-256 of the canonical JSON of all the rest

Canonical is: keys sorted, no blanks, ASCII only. So a line has one form, and a line of another form
was not written by this.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64
"""What stands for the hash of the line before the first."""

LINES_A_FILE = 50_000
"""A file of the export begins anew after so many lines, about 30 MB."""

SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Link:
    """A line of the chain, without its newline, with its place and its hash."""

    seq: int
    hash: str
    text: str


def canonical(record: Mapping[str, object]) -> str:
    """Given a record, return its one form as JSON."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(record: Mapping[str, object]) -> str:
    """Given a line's record, return the hash that it must hold: over all but that hash."""
    rest = {key: value for key, value in record.items() if key != "hash"}
    return hashlib.sha256(canonical(rest).encode()).hexdigest()


def link(event: Mapping[str, object], time: str, seq: int, prev: str) -> Link:
    """Given an event and its place in the chain, return its line."""
    record: dict[str, Any] = {**event, "seq": seq, "time": time, "prev": prev}
    record["hash"] = digest(record)
    return Link(seq, record["hash"], canonical(record))


def file_name(seq: int) -> str:
    """Given a line's number, return the name of its file: the number of the file's first."""
    first = (seq - 1) // LINES_A_FILE * LINES_A_FILE + 1
    return f"{first:012d}{SUFFIX}"
