"""A chain that was touched is found out, and how it was touched."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from services.audit import chain
from services.audit.chain import GENESIS, Link
from services.audit.verify import Seen, seen_by_guard, verify
from tests.attacks.tamperings import TAMPERINGS, Tampering

JOBS = ["a" * 32, "b" * 32, "c" * 32]
TIME = "2026-01-31T12:00:00.000Z"


def links() -> list[Link]:
    """A chain of three jobs, with three lines each."""
    made: list[Link] = []
    for job in JOBS:
        for state in ("queued", "running", "succeeded"):
            prev = made[-1].hash if made else GENESIS
            made.append(chain.link({"id": job, "state": state}, TIME, len(made) + 1, prev))
    return made


def content(chained: list[Link]) -> bytes:
    return b"".join(link.text.encode() + b"\n" for link in chained)


WHOLE = content(links())
LINES = WHOLE.splitlines(keepends=True)
# What a guard logs: at each job's creation, the head after that job was queued.
SEEN = [Seen(links()[place].hash, job) for place, job in zip((0, 3, 6), JOBS, strict=True)]


LEDGER = b"".join(
    json.dumps({"time": TIME, "id": each.job, "job": "audit", "head": each.head}).encode() + b"\n"
    for each in SEEN
)


def test_whole() -> None:
    verdict = verify([("0.jsonl", WHOLE)], SEEN)
    assert (verdict.findings, verdict.lines, verdict.head) == ((), 9, links()[-1].hash)


def test_no_chain_is_whole_while_nobody_saw_one() -> None:
    assert verify([], []).findings == ()


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda each: each.name)
def test_tampered(tampering: Tampering) -> None:
    data, heads = tampering.done(WHOLE, LEDGER)
    files = [] if data is None else [("0.jsonl", data)]
    found = verify(files, seen_by_guard(heads)).findings
    assert any(tampering.finding in str(each) for each in found), found


def test_there_are_enough_tamperings_and_each_is_one() -> None:
    assert len({each.name for each in TAMPERINGS}) == len(TAMPERINGS) >= 10
    assert all(each.done(WHOLE, LEDGER) != (WHOLE, LEDGER) for each in TAMPERINGS)


NO_LINES = {
    "a second value of a key": b'{"id":"x",' + WHOLE[1:],
    "no JSON": WHOLE.replace(b"{", b"[", 1),
    "deeper than a parser goes": b"[" * 100_000 + b"\n" + WHOLE,
}


@pytest.mark.parametrize("data", NO_LINES.values(), ids=NO_LINES)
def test_what_is_no_line(data: bytes) -> None:
    first = verify([("0.jsonl", data)], SEEN).findings[0]
    assert str(first) == "altered: 0.jsonl:1: this is not a line as the runner writes it"


def test_all_findings_are_told() -> None:
    lines = WHOLE.splitlines(keepends=True)
    torn = b"".join(lines[:4])[:-7]
    assert [each.kind for each in verify([("0", torn)], SEEN).findings] == ["torn", "cut", "cut"]
    gap = b"".join(lines[:3] + lines[5:])
    assert [str(each) for each in verify([("0", gap)], SEEN).findings] == [
        "cut: 0:4: lines 4 to 5 are missing before it",
        f"altered: head {SEEN[1].head[:12]} seen with job {JOBS[1]}: "
        "the chain has this job, but not the line seen with it",
    ]


def test_a_job_that_began_after_the_guard_was_asked_is_no_finding() -> None:
    assert verify([("0.jsonl", WHOLE)], SEEN[:2]).findings == ()
    (found,) = verify([("0.jsonl", WHOLE)], []).findings
    assert str(found) == (
        f"cut: the guard's ledger: it has no head of job {JOBS[0]} and of 2 more, though it ran"
    )


ABSENT = "a job that the guard made is not in the chain"
LATE = "a job that the guard made is in the chain only behind it"
BEYOND = "the chain ends before it"
PLACES: list[tuple[bytes, str, str, list[str]]] = [
    (WHOLE, links()[3].hash, JOBS[1], []),
    (WHOLE, links()[8].hash, JOBS[0], []),
    (WHOLE, links()[2].hash, JOBS[1], [LATE]),
    (WHOLE, GENESIS, JOBS[0], [LATE]),
    (WHOLE, links()[0].hash, "f" * 32, [ABSENT]),
    (WHOLE, links()[8].hash, "f" * 32, [ABSENT]),
    (WHOLE, GENESIS, "f" * 32, [ABSENT]),
    (b"", GENESIS, "f" * 32, [ABSENT]),
    # A chain that is behind the ledger, or torn, is told by the head alone.
    (b"".join(LINES[:3]), links()[3].hash, JOBS[1], [BEYOND]),
    (b"".join(LINES[:4])[:-9], links()[3].hash, JOBS[1], [BEYOND]),
]


@pytest.mark.parametrize(("data", "head", "job", "reasons"), PLACES)
def test_a_job_has_a_line_at_or_before_its_head(
    data: bytes, head: str, job: str, reasons: list[str]
) -> None:
    first = len(b"".join(LINES[:2]))
    for files in ([("1", data)], [("1", data[:first]), ("2", data[first:])]):
        found = verify(files, [Seen(head, job)]).findings
        assert [each.reason for each in found if each.where.startswith("head ")] == reasons


SPLIT: list[tuple[Callable[[], list[tuple[str, bytes]]], list[str]]] = [
    (lambda: [("1", b"".join(LINES[:5])), ("2", b"".join(LINES[5:]))], []),
    (lambda: [("2", b"".join(LINES[5:]))], ["cut"]),
    (lambda: [("1", b"".join(LINES[:5])[:-9]), ("2", b"".join(LINES[5:]))], ["altered", "cut"]),
]


@pytest.mark.parametrize(("files", "kinds"), SPLIT)
def test_several_files(files: Callable[[], list[tuple[str, bytes]]], kinds: list[str]) -> None:
    assert [finding.kind for finding in verify(files()).findings] == kinds


def test_file_names_sort_as_the_chain_goes() -> None:
    seqs = [1, chain.LINES_A_FILE, chain.LINES_A_FILE + 1, 10 * chain.LINES_A_FILE + 1]
    names = [chain.file_name(seq) for seq in seqs]
    assert names == ["000000000001.jsonl"] * 2 + ["000000050001.jsonl", "000000500001.jsonl"]
    assert sorted(names) == names
