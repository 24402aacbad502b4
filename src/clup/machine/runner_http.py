"""HTTP with the job runner of this machine, as the operator's caller.

The token is read from its file for each request, and goes nowhere but into that request: before it
is sent, whoever accepted the connection is seen to be root's. Any account may listen on a port that
is free while the runner is down.
"""

from __future__ import annotations

import http.client
import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from clup.machine.runner_places import Door

SECONDS = 75
"""Seconds of silence after which a connection counts as broken: a `wait` takes 60 of them."""

LARGEST = 16 << 20
"""Bytes of an answer that is no stream."""

_TCP = Path("/proc/net/tcp")
_LISTENS, _LOOPBACK, _EVERYWHERE = "0A", "0100007F", "00000000"
_PIECE = 256 * 1024


class FaultError(Exception):
    """The runner refuses, or cannot be asked: a word for programs, what is wrong, what to do."""

    def __init__(
        self, code: str, message: str, cure: str, problems: tuple[str, ...] = (), status: int = 0
    ):
        super().__init__(message)
        self.code = code
        self.cure = cure
        self.problems = problems
        self.status = status


Body = Mapping[str, Any]


class Runner:
    """The runner behind a door. Each request has a connection of its own."""

    def __init__(self, door: Door):
        self._door = door

    def ask(
        self, method: str, path: str, body: Body | None = None, headers: Mapping[str, str] = {}
    ) -> dict[str, Any]:
        """Send a request and return its answer. Raise FaultError, OSError, HTTPException."""
        answer = self._send(method, path, body, headers)
        with answer:
            said = json.loads(answer.read(LARGEST))
        return cast("dict[str, Any]", said)

    def output(self, job_id: str) -> Iterator[bytes]:
        """Yield what a job has printed so far, as it came. Raise as `ask` does."""
        with self._send("GET", f"/v1/jobs/{job_id}/logs") as answer:
            while data := answer.read(_PIECE):
                yield data

    def events(self, job_id: str, after: int) -> Iterator[tuple[str, int, dict[str, Any]]]:
        """Yield the events of a job's output after a place: name, the place after it, data.

        A sign of life is the event `still`. Raise as `ask` does; the stream may end before `end`.
        """
        headers = {"Last-Event-ID": str(after)}
        with self._send("GET", f"/v1/jobs/{job_id}/logs?follow=1", None, headers) as answer:
            fields: dict[str, str] = {}
            for raw in iter(answer.readline, b""):
                line = raw.decode().rstrip("\r\n")
                if line.startswith(":"):
                    yield "still", after, {}
                elif line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                elif fields:
                    after = int(fields.get("id", after))
                    yield fields.get("event", ""), after, json.loads(fields.get("data", "{}"))
                    fields = {}

    def _send(
        self, method: str, path: str, body: Body | None = None, headers: Mapping[str, str] = {}
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(
            self._door.address, self._door.port, timeout=SECONDS
        )
        connection.connect()
        see_whose(connection.sock.getsockname()[1], self._door.port)
        sent = {**headers, "Authorization": f"Bearer {token(self._door.token)}"}
        content = None if body is None else json.dumps(body)
        if content is not None:
            sent["Content-Type"] = "application/json"
        connection.request(method, path, content, sent)
        answer = connection.getresponse()
        if answer.status >= 400:
            with answer:
                raise fault(answer.status, answer.read(LARGEST), answer.getheader("Retry-After"))
        return answer


def fault(status: int, body: bytes, retry_after: str | None = None) -> FaultError:
    """Given an answer that is no result, return what it says."""
    try:
        said = json.loads(body)["error"]
        code, message, cure = (str(said[key]) for key in ("code", "message", "cure"))
        problems = tuple(map(str, said.get("problems", ())))
    except (ValueError, KeyError, TypeError):
        return FaultError(
            "no_fault", f"the runner answers {status} without a reason",
            "see `sudo docker logs dkr-claw-runner` there", status=status,
        )  # fmt: skip
    later = f" ({retry_after} s)" if retry_after else ""
    return FaultError(code, message, cure + later, problems, status)


def token(path: Path) -> str:
    """Return the token in a file. Raise FaultError; what the file holds is never told."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(0, "is no regular file")
            found = file.read(256).strip().decode("ascii", errors="replace")
    except OSError as error:
        cure = "`clup apply` makes the operator's token"
        raise FaultError("no_token", f"{path}: {error.strerror}", cure) from None
    if not found.isascii() or not found.isprintable() or " " in found or not found:
        cure = "remove it there; `clup apply` makes a new one"
        raise FaultError("no_token", f"{path}: holds no token", cure)
    return found


def see_whose(own_port: int, port: int) -> None:
    """Given both ports of a connection over loopback, raise FaultError unless root accepted it, or
    the account that this runs as."""
    owner = accepted_by(_TCP.read_text(encoding="ascii"), own_port, port)
    if owner not in (0, os.geteuid()):
        whose = "nobody known" if owner is None else f"the account with uid {owner}"
        raise FaultError(
            "stranger", f"127.0.0.1:{port} is answered by {whose}, not by Docker; nothing was sent",
            f"see who that is: `sudo ss -ltnp sport = :{port}` there",
        )  # fmt: skip


def accepted_by(table: str, own_port: int, port: int) -> int | None:
    """Given /proc/net/tcp and both ports of a connection on 127.0.0.1, return whose it is there.

    That is the uid of who accepted it. Until somebody has, and where the kernel carries it
    elsewhere (Docker without its proxy), it is that of who listens. None when there is neither.
    """
    here, there = f"{_LOOPBACK}:{port:04X}", f"{_LOOPBACK}:{own_port:04X}"
    listener = None
    for words in (line.split() for line in table.splitlines()[1:]):
        local, remote, state, uid, inode = words[1], words[2], words[3], int(words[7]), words[9]
        # One that nobody has accepted has no inode, and says root's uid whoever listens.
        if (local, remote) == (here, there) and inode != "0":
            return uid
        if state == _LISTENS and local in (here, f"{_EVERYWHERE}:{port:04X}"):
            listener = uid
    return listener
