"""The guard's own answers over real connections; behind it, not Docker but what is said here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from services.guard.app import App
from services.guard.body import MB
from services.guard.containers import Containers
from services.guard.docker import DockerGoneError
from services.guard.owned import Owned, owned
from services.runner.collect import UNDER_WAY
from tests.unit.services.guard.given import ID, SETTINGS, request
from tests.unit.services.guard.test_owned import said

KEY = f"Authorization: Bearer {SETTINGS.key.decode()}"


class _Answer:
    """Docker's answer: pieces of a stream, then an error if there is one."""

    def __init__(self, pieces: list[bytes], error: Exception | None = None):
        self.pieces = pieces
        self.error = error
        self.content = self

    async def iter_any(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece
        if self.error:
            raise self.error


class _Containers:
    """What the guard's operations would do, noted."""

    def __init__(self, answer: _Answer | None = None):
        self.answer = answer
        self.calls: list[tuple[object, ...]] = []

    async def list(self) -> list[Any]:
        return []

    async def create(self, asked: object) -> None:
        self.calls.append(("create", asked))

    async def kill(self, job_id: str) -> None:
        self.calls.append(("kill", job_id))

    @asynccontextmanager
    async def archive(self, job_id: str) -> AsyncIterator[tuple[Owned, _Answer]]:
        container = owned(said(), ID)
        assert container
        assert self.answer
        yield container, self.answer

    @asynccontextmanager
    async def logs(self, *_: str) -> AsyncIterator[tuple[Owned, _Answer]]:
        async with self.archive(ID) as pair:
            yield pair


def talk(containers: _Containers, *lines: str, body: str = "") -> bytes:
    """Send a request's head and body, and return all that comes back."""

    async def asked() -> bytes:
        app = App(cast(Containers, containers), SETTINGS.key)
        server = await asyncio.get_running_loop().create_server(app.door, "127.0.0.1", 0)
        async with server, asyncio.timeout(20):
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 28)
            writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            pieces = []
            try:
                while piece := await reader.read(1 << 20):
                    pieces.append(piece)
            except ConnectionError:
                pieces.append(b"<broken off>")
            writer.close()
            return b"".join(pieces)

    return asyncio.run(asked())


BODY = json.dumps(request())
CREATE = f"POST /containers/create?name={ID} HTTP/1.1"

REFUSED = {
    "no key": ((), 401),
    "another scheme": (("Authorization: Basic " + "k" * 32,), 401),
    "a longer key": ((KEY + "k",), 401),
    "half a key": ((KEY[:-1],), 401),
    "two keys": ((KEY, KEY), 401),
    "a body": ((KEY, "Content-Length: 2", "", "{}"), 400),
    "chunks": ((KEY, "Transfer-Encoding: chunked", "", "0", ""), 411),
    "an upgrade": ((KEY, "Connection: Upgrade", "Upgrade: tcp"), 400),
    "an expectation": ((KEY, "Expect: 100-continue"), 400),
    "a second host": ((KEY, "Host: y"), 400),
}


@pytest.mark.parametrize(("headers", "status"), REFUSED.values(), ids=REFUSED)
def test_a_request_of_another_form_does_nothing(headers: tuple[str, ...], status: int) -> None:
    containers = _Containers()
    line = f"POST /containers/{ID}/kill HTTP/1.1"
    answer = talk(containers, line, "Host: x", *headers)
    assert answer.split()[1] == str(status).encode(), answer
    assert containers.calls == []


def test_with_the_key_it_does() -> None:
    containers = _Containers()
    answer = talk(containers, f"POST /containers/{ID}/kill HTTP/1.1", "Host: x", KEY)
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert containers.calls == [("kill", ID)]


def test_one_connection_carries_one_request() -> None:
    containers = _Containers()
    line = f"POST /containers/{ID}/kill HTTP/1.1\r\nHost: x\r\n{KEY}"
    answer = talk(containers, line, "", line)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert containers.calls == [("kill", ID)]


def test_what_is_no_http_is_told_in_few_lines(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(30):
        answer = talk(_Containers(), "GET /_ping HTTP/1.1", "Host: x", "Host: y")
        assert answer.split()[1] == b"400"
    told = capsys.readouterr()
    assert 1 <= len(told.out.splitlines()) <= 60
    assert all(json.loads(line)["event"] for line in told.out.splitlines())
    assert "Traceback" not in told.err


@pytest.mark.parametrize(
    ("length", "body", "status"),
    [(len(BODY), BODY, 201), (len(BODY) - 1, BODY, 400), (70_000, BODY, 413)],
)
def test_a_body_is_read_as_far_as_it_is_announced(length: int, body: str, status: int) -> None:
    answer = talk(_Containers(), CREATE, "Host: x", KEY, f"Content-Length: {length}", body=body)
    assert answer.split()[1] == str(status).encode(), answer


# The last is the most that aiohttp hands out at a time.
@pytest.mark.parametrize("size", [4096, 384 * 1024])
def test_artifacts_that_are_too_large_break_off(size: int) -> None:
    archive = f"GET /containers/{ID}/archive HTTP/1.1"
    small = talk(_Containers(_Answer([b"a" * MB])), archive, "Host: x", KEY)
    assert small.endswith(b"\r\n0\r\n\r\n")
    large = talk(_Containers(_Answer([b"~" * size] * (65 * MB // size))), archive, "Host: x", KEY)
    assert large.startswith(b"HTTP/1.1 200 ")
    assert not large.endswith(b"\r\n0\r\n\r\n")
    # Else the runner takes it for the end of the guard.
    assert 64 * MB - UNDER_WAY < large.count(b"~") <= 64 * MB


def test_output_breaks_off_when_docker_does() -> None:
    frame = b"\1\0\0\0\0\0\0\2hi"
    answer = talk(
        _Containers(_Answer([frame], DockerGoneError("gone"))),
        f"GET /containers/{ID}/logs HTTP/1.1", "Host: x", KEY,
    )  # fmt: skip
    assert frame in answer
    assert answer.count(b"HTTP/1.1 ") == 1
    assert not answer.endswith(b"\r\n0\r\n\r\n")


def test_output_ends_at_its_limit() -> None:
    frame = b"\1\0\0\0" + MB.to_bytes(4, "big") + b"a" * MB
    line = f"GET /containers/{ID}/logs HTTP/1.1"
    answer = talk(_Containers(_Answer([frame] * 20)), line, "Host: x", KEY)
    assert 16 * MB <= answer.count(b"a") < 16 * MB + 1000
    assert answer.endswith(b"\r\n0\r\n\r\n")
