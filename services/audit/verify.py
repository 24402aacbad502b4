"""Whether an exported chain is whole; and if not, whether it is torn, cut or altered.

    torn      the last line ends in its middle: a crash. The runner completes it when it starts.
    cut       lines are missing that were there, or should have been: in the middle, at the end or
              of a job, which only somebody else's record of the chain's head can tell
    altered   a line is not what was written

That record is the guard's: each request to create a container carries the head of the chain, and
the guard logs it where the runner cannot write. Read the guard's log first and the chain after it:
a head is exported a moment after it was seen. The runner writes down a job before it reads the head
for it: a job without a line at or before its head was run past the chain. And a job that ran
without a head shows that the guard's record was cut instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from services.audit.chain import GENESIS, SUFFIX, canonical, digest

Kind = Literal["torn", "cut", "altered"]


@dataclass(frozen=True)
class Seen:
    """A head that somebody else recorded, and the job that it came with."""

    head: str
    job: str


@dataclass(frozen=True)
class Finding:
    """What is wrong with a chain, and where: a file and line, or a head."""

    kind: Kind
    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.reason}"


@dataclass(frozen=True)
class Verdict:
    """What a chain was found to be. It is whole when there are no findings."""

    lines: int
    head: str
    findings: tuple[Finding, ...]


@dataclass
class _Reading:
    """Where a reader stands: the number that comes next, the hash before it, None if unknown."""

    next: int = 1
    prev: str | None = GENESIS
    hashes: dict[str, int] = field(default_factory=lambda: {GENESIS: 0})
    """The place of each line by its hash."""
    jobs: dict[str, int] = field(default_factory=dict)
    """The place of the first line of each job, by its id."""
    ran: dict[str, int] = field(default_factory=dict)
    """The place of the line that says that a job runs, by its id."""
    lines: int = 0
    findings: list[Finding] = field(default_factory=list)

    def find(self, kind: Kind, where: str, reason: str) -> None:
        self.findings.append(Finding(kind, where, reason))


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Given the folder of an export, return its files' names and bytes in the chain's order.

    Raise OSError when one cannot be read.
    """
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        yield path.name, path.read_bytes()


def seen_by_guard(content: bytes) -> list[Seen]:
    """Given the guard's file of heads, return them in its order. A line that a full disk or a cut
    left unfinished is passed over: its container was never made."""
    found = []
    for line in content.splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            continue
        if isinstance(said, dict) and {"head", "id"} <= said.keys():
            found.append(Seen(str(said["head"]), str(said["id"])))
    return found


def verify(files: Iterable[tuple[str, bytes]], seen: Sequence[Seen] | None = None) -> Verdict:
    """Given the files of an export in their order and the heads that the guard saw, None where
    nobody has looked, judge it."""
    reading = _Reading()
    rest, name = b"", ""
    for name, content in files:
        if rest:
            reading.find("altered", f"before {name}", "a file ends in the middle of a line")
        *lines, rest = content.split(b"\n")
        for number, line in enumerate(lines, start=1):
            _read(reading, f"{name}:{number}", line)
    if rest:
        reading.find("torn", name, "the last line is not whole; the runner completes it")
    if seen is not None:
        for each in seen:
            _look_for(reading, each)
        _look_for_heads(reading, seen)
    return Verdict(reading.lines, reading.prev or GENESIS, tuple(reading.findings))


def _read(reading: _Reading, where: str, line: bytes) -> None:
    reading.lines += 1
    record = _record(line)
    if record is None:
        reading.find("altered", where, "this is not a line as the runner writes it")
        reading.next, reading.prev = reading.next + 1, None
        return
    seq, stated = record["seq"], record["hash"]
    if digest(record) != stated:
        reading.find("altered", where, f"line {seq} does not have the hash that it states")
    elif seq > reading.next:
        reading.find("cut", where, f"{_lines(reading.next, seq - 1)} missing before it")
    elif seq < reading.next:
        reading.find("altered", where, f"line {seq} stands where line {reading.next} belongs")
    elif reading.prev not in (None, record["prev"]):
        reading.find("altered", where, f"line {seq} does not follow from the line before it")
    reading.next, reading.prev = seq + 1, stated
    reading.hashes[stated] = reading.lines
    job = str(record.get("id", ""))
    reading.jobs.setdefault(job, reading.lines)
    if record.get("state") == "running":
        reading.ran[job] = reading.lines


def _record(line: bytes) -> dict[str, Any] | None:
    """Return the record of a line; None for what is no line of a chain, whatever it is."""
    try:
        record = json.loads(line)
        if not isinstance(record, dict) or canonical(record).encode() != line:
            return None
    except (ValueError, RecursionError):
        return None
    whole = type(record.get("seq")) is int and isinstance(record.get("hash"), str)
    return record if whole and isinstance(record.get("prev"), str) else None


def _look_for(reading: _Reading, seen: Seen) -> None:
    """A head comes with a job whose first line is at or before it. Where the head is missing, that
    line tells cut from altered; where it is not, an old head may have been sent with a new job."""
    where = f"head {seen.head[:12]} seen with job {seen.job}"
    head, job = reading.hashes.get(seen.head), reading.jobs.get(seen.job)
    if head is None and job is not None:
        reading.find("altered", where, "the chain has this job, but not the line seen with it")
    elif head is None:
        reading.find("cut", where, "the chain ends before it")
    elif job is None:
        reading.find("cut", where, "a job that the guard made is not in the chain")
    elif job > head:
        reading.find("cut", where, "a job that the guard made is in the chain only behind it")


def _look_for_heads(reading: _Reading, seen: Sequence[Seen]) -> None:
    """The guard notes a head before it makes a container, so that no job runs without: where one
    did, heads are gone. What ran behind the last head that was seen may be newer than it."""
    last = max((reading.hashes.get(each.head, 0) for each in seen), default=reading.lines)
    known = {each.job for each in seen}
    if unseen := [job for job, at in reading.ran.items() if at <= last and job not in known]:
        more = f" and of {len(unseen) - 1} more" if len(unseen) > 1 else ""
        reason = f"it has no head of job {unseen[0]}{more}, though it ran"
        reading.find("cut", "the guard's ledger", reason)


def _lines(first: int, last: int) -> str:
    return f"line {first} is" if first == last else f"lines {first} to {last} are"
