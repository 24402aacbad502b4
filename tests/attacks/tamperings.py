"""What somebody may do to the exported audit chain and to the guard's ledger of its heads.

Each is a function of the bytes of both, and returns both as they are then; None is a file that is
gone. A chain must be of at least three jobs that ran.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from services.audit import chain
from services.audit.chain import GENESIS

Both = tuple[bytes | None, bytes]


@dataclass(frozen=True)
class Tampering:
    """Something that is done to chain and ledger, and a finding that must name it."""

    name: str
    done: Callable[[bytes, bytes], Both]
    finding: str
    """A part of a finding: its kind, or more."""
    on_machine: bool = False
    """Whether it is tried on a lab machine too, with `clup audit verify`."""


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _middle(lines: list[bytes]) -> int:
    """Return the place of a line of a job in the middle: one that says that it runs."""
    running = [place for place, line in enumerate(lines) if b'"state":"running"' in line]
    return running[len(running) // 2]


def _last_job(lines: list[bytes]) -> int:
    """Return the place of the first line of the job that ran last."""
    last = max(place for place, line in enumerate(lines) if b'"state":"running"' in line)
    job = json.loads(lines[last])["id"]
    return next(place for place, line in enumerate(lines) if json.loads(line)["id"] == job)


def _chained(lines: list[bytes], events: list[dict[str, object]]) -> list[bytes]:
    """Return whole lines, and behind them events that are chained to them properly."""
    made = list(lines)
    for event in events:
        seq = len(made) + 1
        prev = json.loads(made[-1])["hash"] if made else GENESIS
        line = chain.link(event, str(event.pop("time")), seq, prev)
        made.append(line.text.encode() + b"\n")
    return made


def _event(line: bytes) -> dict[str, object]:
    """Return what a line says, without its place in the chain."""
    record = json.loads(line)
    return {key: value for key, value in record.items() if key not in ("seq", "prev", "hash")}


def _whole(lines: list[bytes]) -> bytes:
    return b"".join(lines)


def _bit(data: bytes, heads: bytes) -> Both:
    lines = _lines(data)
    place = _middle(lines)
    at = lines[place].index(b'"state":"') + 9
    lines[place] = lines[place][:at] + bytes([lines[place][at] ^ 1]) + lines[place][at + 1 :]
    return _whole(lines), heads


def _without(data: bytes, place: int) -> bytes:
    lines = _lines(data)
    del lines[place]
    return _whole(lines)


def _middle_removed(data: bytes, heads: bytes) -> Both:
    return _without(data, _middle(_lines(data))), heads


def _head_removed(data: bytes, heads: bytes) -> Both:
    return data, _without(heads, 1)


def _older(data: bytes, heads: bytes) -> Both:
    lines = _lines(data)
    return _whole(lines[: _middle(lines) - 1]), heads


def _other_form(data: bytes, heads: bytes) -> Both:
    return data.replace(b'":', b'": ', 1), heads


def _swapped(data: bytes, heads: bytes) -> Both:
    lines = _lines(data)
    place = _middle(lines)
    lines[place - 1], lines[place] = lines[place], lines[place - 1]
    return _whole(lines), heads


def _doubled(data: bytes, heads: bytes) -> Both:
    lines = _lines(data)
    place = _middle(lines)
    return _whole([*lines[: place + 1], *lines[place:]]), heads


def _slipped_in(data: bytes, heads: bytes) -> Both:
    """A line of its own, properly chained to the one before it."""
    lines = _lines(data)
    place = _middle(lines)
    event = _event(lines[place]) | {"caller": "nobody"}
    return _whole([*_chained(lines[:place], [event]), *lines[place:]]), heads


def _rewritten(data: bytes, heads: bytes) -> Both:
    """Another caller in the middle, and all hashes behind it made anew."""
    lines = _lines(data)
    place = _middle(lines)
    events = [_event(line) for line in lines[place:]]
    events[0]["caller"] = "nobody"
    return _whole(_chained(lines[:place], events)), heads


def _tail_cut(data: bytes, heads: bytes) -> Both:
    lines = _lines(data)
    return _whole(lines[: _last_job(lines)]), heads


def _tail_exchanged(data: bytes, heads: bytes) -> Both:
    """The last job's lines as those of a job that nobody has seen."""
    lines = _lines(data)
    place = _last_job(lines)
    events = [_event(line) | {"id": "0" * 32} for line in lines[place:]]
    return _whole(_chained(lines[:place], events)), heads


def _made(heads: bytes, job: str, head: str) -> bytes:
    """Return the ledger after the guard has made a job with a head that the runner chose."""
    line = json.loads(_lines(heads)[-1]) | {"id": job, "head": head}
    return heads + json.dumps(line).encode() + b"\n"


def _run_past_the_chain(data: bytes, heads: bytes) -> Both:
    return data, _made(heads, "0" * 32, json.loads(_lines(heads)[0])["head"])


def _run_from_the_beginning(data: bytes, heads: bytes) -> Both:
    return data, _made(heads, "0" * 32, GENESIS)


def _written_down_later(data: bytes, heads: bytes) -> Both:
    """A job that ran with an old head, and whose lines were written when it was over."""
    lines = _lines(data)
    events = [_event(line) | {"id": "0" * 32} for line in lines[_last_job(lines) :]]
    old = json.loads(lines[-1])["hash"]
    return _whole(_chained(lines, events)), _made(heads, "0" * 32, old)


def _hash_changed(data: bytes, heads: bytes) -> Both:
    lines = _lines(data)
    stated = json.loads(lines[-1])["hash"].encode()
    return _whole([*lines[:-1], lines[-1].replace(stated, b"f" * 64)]), heads


TAMPERINGS = (
    Tampering("a bit is flipped", _bit, "altered: ", True),
    Tampering("the first line is removed", lambda d, h: (_without(d, 0), h), "cut: "),
    Tampering("a line in the middle is removed", _middle_removed, "is missing before it", True),
    Tampering("two lines are swapped", _swapped, "altered: ", True),
    Tampering("a line is doubled", _doubled, "altered: "),
    Tampering("a line is slipped in", _slipped_in, "altered: ", True),
    Tampering("a hash is changed", _hash_changed, "does not have the hash that it states"),
    Tampering("a line is written in another form", _other_form, "not a line as the runner writes"),
    Tampering("all behind a change is hashed anew", _rewritten, "not the line seen with it", True),
    Tampering("the tail is cut", _tail_cut, "the chain ends before it", True),
    Tampering("the tail is another, hashed properly", _tail_exchanged, "the chain ends before it"),
    Tampering("an older copy is put back", _older, "the chain ends before it"),
    Tampering("the last line is torn", lambda d, h: (d[:-20], h), "torn: ", True),
    Tampering("the file is emptied", lambda _, h: (b"", h), "the chain ends before it"),
    Tampering("the file is removed", lambda _, h: (None, h), "the chain ends before it", True),
    Tampering("the guard's ledger is emptied", lambda d, _: (d, b""), "the guard's ledger", True),
    Tampering("a head is gone from the ledger", _head_removed, "the guard's ledger", True),
    Tampering("a job is run with an old head", _run_past_the_chain, "is not in the chain"),
    Tampering("a job is run with no head", _run_from_the_beginning, "is not in the chain"),
    Tampering("a job is written down later", _written_down_later, "is in the chain only behind it"),
)
