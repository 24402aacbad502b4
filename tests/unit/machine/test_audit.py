"""Audit records on their way from the machine's files to their judge."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clup.jobs import records as judge
from clup.jobs.client import FaultError
from clup.machine import audit
from clup.machine.process import RefusedError
from clup.machine.runner_places import Records
from services.audit import chain

JOBS = ["aaaa1" + "0" * 27, "aaaa2" + "0" * 27, "bbbb0" + "0" * 27]
STATES = ("queued", "running", "succeeded")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    """Files of three jobs with three lines each, and the heads that the guard saw of them."""
    records = Records(tmp_path / "audit", tmp_path / "heads")
    records.chain.mkdir()
    seq, head, text, seen = 0, chain.GENESIS, "", ""
    for job in JOBS:
        for state in STATES:
            if state == "running":
                seen += json.dumps({"time": "T", "id": job, "job": "audit", "head": head}) + "\n"
            seq += 1
            event = {"id": job, "job": "audit", "caller": "operator", "state": state}
            line = chain.link(event, f"T{seq}", seq, head)
            head, text = line.hash, text + line.text + "\n"
    (records.chain / chain.file_name(1)).write_text(text)
    records.ledger.write_text(seen)

    def said(_host: object, words: list[str], _given: str = "") -> Any:
        asked = words[words.index("clup.machine.audit") + 1 :]
        events = audit.lines(records, asked[1]) if asked[0] == "lines" else audit.chain(records)
        return (json.loads(json.dumps(event)) for event in events)

    monkeypatch.setattr(judge, "said", said)
    monkeypatch.setattr(judge, "AGAIN", 0.0)
    monkeypatch.setattr(audit, "_PIECE", 100)
    return records


HOST: Any = SimpleNamespace()


def test_a_whole_chain_is_whole(machine: Records) -> None:
    judged = judge.judge(HOST)
    assert (judged.verdict.lines, judged.verdict.findings, judged.heads) == (9, (), 3)


def _cut(machine: Records) -> None:
    path = machine.chain / chain.file_name(1)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:4]))


def _tear(machine: Records) -> None:
    path = machine.chain / chain.file_name(1)
    path.write_bytes(path.read_bytes()[:-20])


def _alter(machine: Records) -> None:
    path = machine.chain / chain.file_name(1)
    path.write_text(path.read_text().replace("succeeded", "cancelled", 1))


def _remove(machine: Records) -> None:
    (machine.chain / chain.file_name(1)).unlink()


@pytest.mark.parametrize(
    ("tamper", "kinds"),
    [(_cut, {"cut"}), (_tear, {"torn"}), (_alter, {"altered"}), (_remove, {"cut"})],
)
def test_what_was_done_to_it_is_told(machine: Records, tamper: Any, kinds: set[str]) -> None:
    tamper(machine)
    assert {each.kind for each in judge.judge(HOST).verdict.findings} == kinds


def test_a_line_that_is_being_written_is_looked_at_again(
    machine: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = machine.chain / chain.file_name(1)
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    monkeypatch.setattr("clup.jobs.records.time.sleep", lambda _seconds: path.write_bytes(whole))
    assert judge.judge(HOST).verdict.findings == ()


def test_without_a_ledger_nothing_is_proved(machine: Records) -> None:
    machine.ledger.unlink()
    with pytest.raises(RefusedError, match="heads: cannot be read: No such file"):
        judge.judge(HOST)


def test_empty_files_are_sent_too(machine: Records) -> None:
    machine.ledger.write_text("")
    first, *_ = audit.chain(machine)
    assert list(judge.files(iter([first]))) == [("ledger", b"")]


@pytest.mark.parametrize(
    ("begun", "says"),
    [
        ("aaaa", "2 jobs begin so"),
        ("cccc", "no audit line is of it"),
        ("aa", "no audit line"),
        ("", "no audit line"),
    ],
)
def test_a_beginning_names_one_job(machine: Records, begun: str, says: str) -> None:
    with pytest.raises(FaultError, match=says):
        judge.of_job(HOST, begun)


def test_lines_of_a_job_also_beside_torn_ones(machine: Records) -> None:
    with (machine.chain / chain.file_name(1)).open("ab") as file:
        file.write(b'{"id": "bb')
    found = judge.of_job(HOST, "bbbb")
    assert [line["state"] for line in found] == list(STATES)
    assert judge.shown(found[0]) == "     7  T7  operator: audit  queued"


def _large(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


# What a hostile runner puts into its folder, for a program that runs as root to read.
PLANTED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a link to a device": (lambda path: path.symlink_to("/dev/zero"), "is a link or another"),
    "a link to a file": (lambda path: path.symlink_to("/etc/hostname"), "is a link or another"),
    "a pipe": (os.mkfifo, "is a link or another"),
    "a folder": (Path.mkdir, "is a link or another"),
    "a file of a terabyte": (_large, "has more than 268435456 bytes"),
}


@pytest.mark.parametrize(("plant", "says"), PLANTED.values(), ids=PLANTED)
@pytest.mark.parametrize("asked", [audit.chain, lambda it: audit.lines(it, "aaaa")])
def test_what_is_no_file_of_the_chain_is_not_read(
    machine: Records, plant: Callable[[Path], None], says: str, asked: Any
) -> None:
    path = machine.chain / chain.file_name(chain.LINES_A_FILE + 1)
    plant(path)
    with pytest.raises(RefusedError, match=f"{path.name}: {says}.*move it elsewhere"):
        list(asked(machine))


def test_the_ledger_is_not_read_without_end_either(machine: Records) -> None:
    machine.ledger.unlink()
    _large(machine.ledger)
    with pytest.raises(RefusedError, match="heads: has more than"):
        next(audit.chain(machine))


def test_a_file_that_grows_while_it_is_read(
    machine: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = machine.chain / chain.file_name(1)
    most = path.stat().st_size
    assert sum(1 for _ in audit.pieces("1", path, most)) > 2
    monkeypatch.setattr(audit, "_PIECE", most)
    growing = audit.pieces("1", path, most)
    next(growing)
    with path.open("ab") as file:
        file.write(b"{")
    with pytest.raises(RefusedError, match=f"has more than {most} bytes"):
        list(growing)
