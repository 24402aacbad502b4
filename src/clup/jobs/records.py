"""The audit records of a machine's jobs, read from its files and judged here.

What judges them is this checkout, so that whoever altered them on the machine cannot have altered
the judge too.
"""

from __future__ import annotations

import base64
import itertools
import re
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api.host import Host

from clup.jobs.client import Event, FaultError, said
from clup.operations import programs
from services.audit.verify import Verdict, seen_by_guard, verify

AGAIN = 3.0
"""Seconds until a second look: a line may be half written at the first, a head on its way."""

_BEGUN = re.compile(r"[0-9a-f]{4,32}", re.ASCII)


@dataclass(frozen=True)
class Judged:
    """What a chain was found to be, and how many heads the guard saw of it."""

    verdict: Verdict
    heads: int


def judge(host: Host) -> Judged:
    """Fetch the chain and the guard's ledger of a connected host and judge them.

    What looks wrong is looked at twice. Raise FaultError when one cannot be read, OSError when the
    machine does not answer.
    """
    judged = _look(host)
    if judged.verdict.findings:
        time.sleep(AGAIN)
        judged = _look(host)
    return judged


def _look(host: Host) -> Judged:
    found = files(said(host, programs.words("audit", "chain")))
    name, ledger = next(found, ("", b""))
    if name != "ledger":
        raise FaultError(
            {"code": "no_records", "message": "the machine sent no ledger", "problems": []}
        )
    seen = seen_by_guard(ledger)
    return Judged(verify(found, seen), len(seen))


def files(events: Iterator[Event]) -> Iterator[tuple[str, bytes]]:
    """Given files in pieces, in their order, yield each as a whole: its name and its bytes."""
    for name, pieces in itertools.groupby(events, key=lambda event: str(event["name"])):
        yield name, b"".join(zlib.decompress(base64.b64decode(piece["data"])) for piece in pieces)


def of_job(host: Host, begun: str) -> list[dict[str, Any]]:
    """Given the beginning of a job's id, return its audit lines. Raise FaultError unless they are
    those of one job."""
    found: list[dict[str, Any]] = []
    if _BEGUN.fullmatch(begun):
        found = [each["line"] for each in said(host, programs.words("audit", "lines", begun))]
    jobs = {line["id"] for line in found}
    if len(jobs) == 1:
        return found
    why = f"{len(jobs)} jobs begin so; type more of it" if jobs else "no audit line is of it"
    raise FaultError({"code": "unknown_job", "message": f"{begun}: {why}", "problems": []})


def shown(line: Mapping[str, Any]) -> str:
    """Given an audit line, return it for people."""
    given = "".join(f" {name}={value}" for name, value in line.get("parameters", {}).items())
    result = line.get("result") or {}
    why = f": {result['reason']}" if result.get("reason") else ""
    by = f" ({line['cancelled_by']} asked for its end)" if line.get("cancelled_by") else ""
    code = "" if result.get("exit_code") is None else f", exit code {result['exit_code']}"
    return (
        f"{line['seq']:>6}  {line['time']}  {line.get('caller')}: {line.get('job')}{given}"
        f"  {line.get('state')}{by}{code}{why}"
    )
