"""Talks to the job runner of a machine, through a small program that runs there as root.

The token of the operator's caller never leaves the machine: what goes there is a request, what
comes back are events, a JSON object a line.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlencode

from pyinfra.api.host import Host

from clup.operations import programs
from clup.transport import again, live, raw

Event = dict[str, Any]

SILENCE = 120
"""Seconds without a word after which the connection counts as broken; a sign of life comes every
15, and the program itself notices a silent runner after 75."""

RECONNECT = 300
"""Seconds for which a machine is called again when the connection to it breaks."""

LONGEST_PAGE = 200
_SHORTEST_ID = 4


class FaultError(Exception):
    """What the runner refused, or why it could not be asked: a word, a line, what to do."""

    def __init__(self, event: Mapping[str, Any]):
        self.code: str = event["code"]
        self.problems: list[str] = event["problems"]
        cure = _CURES.get(self.code, event.get("cure", ""))
        super().__init__("; ".join(filter(None, [event["message"], *self.problems, cure])))


# What the runner advises speaks of its HTTP API; here the same is a command.
_CURES = {
    "unknown_job_name": "`clup job list` lists the jobs",
    "forbidden_job": "`clup job list` lists what the operator may run; see its rights in tokens/",
    "unknown_job": "`clup job history` lists them",
    "invalid_parameters": "`clup job list` tells what it takes",
    "queue_full": "`clup job history --state queued` lists what waits; try again later",
}


@dataclass
class Following:
    """A job that is followed: the request that it began with, and how far it was read."""

    request: Mapping[str, Any]
    job_id: str = ""
    place: int = 0
    job: Mapping[str, Any] = field(default_factory=dict)

    def next(self) -> Mapping[str, Any]:
        """Return the request that goes on where this stands."""
        if not self.job_id:
            return self.request
        return {"do": "follow", "id": self.job_id, "after": self.place}

    def note(self, event: Event) -> None:
        """Take in an event."""
        self.place = event.get("place", self.place)
        if event["event"] == "job":
            self.job, self.job_id = event["job"], event["job"]["id"]


def order(job: str, parameters: Mapping[str, str], detach: bool = False) -> Mapping[str, Any]:
    """Return the request that has a job run: once, by its key, however often it is sent."""
    key = uuid.uuid4().hex
    return {"do": "run", "job": job, "parameters": parameters, "detach": detach, "key": key}


def ask(host: Host, method: str, path: str, **query: object) -> dict[str, Any]:
    """Ask the runner of a connected host once and return its answer. Raise FaultError, OSError."""
    given = {name: value for name, value in query.items() if value is not None}
    whole = f"{path}?{urlencode(given)}" if given else path
    for event in talk(host, {"do": "ask", "method": method, "path": whole}):
        if event["event"] == "answer":
            return cast("dict[str, Any]", event["body"])
    raise ConnectionError("the program on the machine ended without an answer; try again")


def follow(host: Host, following: Following) -> Iterator[Event]:
    """Yield the events of a job to its end, also through connections that break.

    Asked again for the same run, the runner knows it by its key. Raise FaultError, OSError.
    """
    while True:
        try:
            for event in talk(host, following.next()):
                following.note(event)
                yield event
        except (ConnectionError, TimeoutError) as error:
            yield {"event": "broken", "reason": str(error)}
            again.reconnect(host, RECONNECT)
        else:
            return


def talk(host: Host, request: Mapping[str, Any]) -> Iterator[Event]:
    """Run the program of jobs on a host and yield its events. Raise FaultError, OSError."""
    yield from said(host, programs.words("job"), json.dumps(request) + "\n")


def said(host: Host, words: list[str], given: str = "") -> Iterator[Event]:
    """Run a program of `clup.machine` that says events; `given` is its input."""
    stdin = (programs.packed() + given).encode()
    for line in live.lines(host, raw.as_root(host, *words), stdin, SILENCE):
        event = json.loads(line)
        if event["event"] == "fault":
            raise FaultError(event)
        yield event


def output(event: Event) -> bytes:
    """Given an event of output, return its bytes."""
    if "base64" in event:
        return base64.b64decode(event["base64"])
    return str(event["text"]).encode()


def listing(host: Host, most: int, **query: object) -> Iterator[dict[str, Any]]:
    """Yield jobs of a host's runner, the newest first, page by page as they are read."""
    before = None
    while most > 0:
        page = min(most, LONGEST_PAGE)
        answer = ask(host, "GET", "/v1/jobs", limit=page, before=before, **query)
        yield from answer["jobs"]
        most, before = most - len(answer["jobs"]), answer["before"]
        if before is None:
            return


def find(host: Host, begun: str) -> str:
    """Given the beginning of a job's id, return the whole id. Raise FaultError unless there is one
    such job among the newest."""
    if len(begun) == 32:
        return begun
    found = [job["id"] for job in listing(host, LONGEST_PAGE) if job["id"].startswith(begun)]
    if len(begun) >= _SHORTEST_ID and len(found) == 1:
        return str(found[0])
    why = f"{len(found)} jobs begin so" if len(found) > 1 else "none of the newest jobs begins so"
    if len(begun) < _SHORTEST_ID:
        why = f"is too short; type {_SHORTEST_ID} characters or more"
    raise FaultError({"code": "unknown_job", "message": f"{begun}: {why}", "problems": []})
