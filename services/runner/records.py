"""What the store keeps of a job, and the words of it that go out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from services.runner.states import State

Parameters = Mapping[str, str | int]


@dataclass(frozen=True)
class Request:
    """What a caller asks for, judged already. `key` is its idempotency key, if it gave one."""

    job: str
    parameters: Parameters
    caller: str
    image: str
    key: str | None = None


@dataclass(frozen=True)
class Result:
    """How a job ended. Sizes are bytes."""

    exit_code: int | None = None
    oom_killed: bool = False
    reason: str = ""
    seconds: float | None = None
    """How long it ran; None where nobody watched."""
    log_bytes: int = 0
    log_truncated: bool = False
    artifacts: int = 0
    """Files that were collected,"""
    artifacts_bytes: int = 0
    artifacts_refused: tuple[str, ...] = ()
    """and why others were not, the first few."""
    usage: Mapping[str, int | float] = field(default_factory=dict)
    """What it used, as the guard measured it."""


@dataclass(frozen=True)
class Record:
    """A job as the store has it. Times are UTC in ISO 8601, empty while not there."""

    seq: int
    id: str
    job: str
    caller: str
    parameters: Parameters
    image: str
    state: State
    created: str
    started: str = ""
    finished: str = ""
    cancelling: bool = False
    cancelled_by: str = ""
    """The caller who asked for its end; empty where nobody did, or a runner ran that kept no name.
    """
    result: Result = Result()


COLUMNS = (
    "seq, id, job, caller, parameters, image, state, created, started, finished, cancelling,"
    " cancelled_by, result"
)


def from_row(row: tuple[Any, ...]) -> Record:
    """Given a row of COLUMNS, return the record."""
    seq, job_id, job, caller, parameters, image, state, *rest = row
    created, started, finished, cancelling, cancelled_by, result = rest
    said = json.loads(result)
    return Record(
        seq=seq,
        id=job_id,
        job=job,
        caller=caller,
        parameters=json.loads(parameters),
        image=image,
        state=cast(State, state),
        created=created,
        started=started,
        finished=finished,
        cancelling=bool(cancelling),
        cancelled_by=cancelled_by,
        result=Result(**said | {"artifacts_refused": tuple(said.get("artifacts_refused", ()))}),
    )


def result_text(result: Result) -> str:
    """Return a result as the store keeps it."""
    return json.dumps(asdict(result))


def event(record: Record) -> dict[str, Any]:
    """Given a job in a state, return what the audit chain says of it: who, what, with which
    parameters, from which image, who asked for its end, with what result and at what cost. A
    parameter is one of a list, a number, or a short word of a given form; what looks like a secret
    was refused."""
    told: dict[str, Any] = {
        "id": record.id,
        "job": record.job,
        "caller": record.caller,
        "state": record.state,
        "parameters": dict(record.parameters),
        "image": record.image,
    }
    if record.cancelled_by:
        told["cancelled_by"] = record.cancelled_by
    if record.finished:
        told["result"] = asdict(record.result)
    return told
