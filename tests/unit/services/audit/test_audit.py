"""A chain that was touched is found out, and how it was touched."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from services.audit import chain
from services.audit.chain import GENESIS, Link
from services.audit.verify import Seen, verify

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


def rewritten() -> bytes:
    """The chain as somebody writes it anew who changes line 5 and knows how hashes are made."""
    made = links()[:4]
    for old in links()[4:]:
        record = json.loads(old.text)
        state = "failed" if old.seq == 5 else record["state"]
        event = {"id": record["id"], "state": state}
        made.append(chain.link(event, TIME, old.seq, made[-1].hash))
    return content(made)


def without(*places: int) -> bytes:
    return b"".join(line for place, line in enumerate(LINES) if place not in places)


NO_LINE = ["altered: 0.jsonl:1: this is not", "altered: head"]
OTHER_HASH = LINES[8].replace(links()[8].hash.encode(), b"f" * 64)

TAMPERED: dict[str, tuple[bytes, list[str]]] = {
    "a value changed": (WHOLE.replace(b"queued", b"failed", 1), ["altered: 0.jsonl:1: line 1"]),
    "a hash changed": (without(8) + OTHER_HASH, ["altered: 0.jsonl:9: line 9"]),
    "a line doubled": (without() + LINES[8], ["altered: 0.jsonl:10: line 9 stands where line 10"]),
    "lines swapped": (b"".join([LINES[1], LINES[0], *LINES[2:]]), ["cut", "altered", "cut"]),
    "a line removed": (without(4), ["cut: 0.jsonl:5: line 5 is missing"]),
    "lines removed": (without(3, 4), ["cut: 0.jsonl:4: lines 4 to 5 are missing", "altered: head"]),
    "the beginning cut": (without(0, 1), ["cut: 0.jsonl:1: lines 1 to 2 are missing", "altered"]),
    "the tail cut": (b"".join(LINES[:6]), [f"cut: head {SEEN[2].head[:12]}"]),
    "all of it cut": (b"", ["cut", "cut", "cut"]),
    "rewritten with new hashes": (rewritten(), ["altered: head"]),
    "a blank slipped in": (
        WHOLE.replace(b":1,", b": 1,", 1),
        NO_LINE,
    ),
    "a second value of a key": (
        b'{"id":"x",' + WHOLE[1:],
        NO_LINE,
    ),
    "no JSON": (WHOLE.replace(b"{", b"[", 1), NO_LINE),
    "deeper than a parser goes": (b"[" * 100_000 + b"\n" + WHOLE, ["altered", "altered"]),
    "a line of its own": (WHOLE + LINES[8].replace(b'"seq":9', b'"seq":10'), ["altered"]),
    "torn": (WHOLE[:-20], ["torn: 0.jsonl"]),
    "torn and cut": (WHOLE[: len(b"".join(LINES[:4])) - 7], ["torn", "cut: head", "cut: head"]),
}


def test_whole() -> None:
    verdict = verify([("0.jsonl", WHOLE)], SEEN)
    assert (verdict.findings, verdict.lines, verdict.head) == ((), 9, links()[-1].hash)


def test_no_chain_is_whole_while_nobody_saw_one() -> None:
    assert verify([], []).findings == ()


@pytest.mark.parametrize("name", TAMPERED)
def test_tampered(name: str) -> None:
    data, expected = TAMPERED[name]
    found = [str(finding) for finding in verify([("0.jsonl", data)], SEEN).findings]
    assert len(found) == len(expected), found
    assert all(map(str.startswith, found, expected)), found


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
