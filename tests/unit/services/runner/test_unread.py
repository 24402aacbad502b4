"""Answers that nobody reads keep nobody from being answered; answers that are read slowly go on."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import httpx2
import pytest

from services.runner import connections
from services.runner.connections import SERVED, Connection
from tests.unit.services.runner.runners import Running, token
from tests.unit.services.runner.stories import told, until
from tests.unit.services.runner.test_connections import status

GET = b"GET /openapi.json HTTP/1.1\r\nHost: it\r\n\r\n"
LAST = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
MUCH = 8 * 2**20
"""More than the system would ever keep of an answer."""


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """Every connection that is made to the runner."""
    found: list[Connection] = []

    class Noted(Connection):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            found.append(self)

    monkeypatch.setitem(SERVED, "http", Noted)
    return found


async def asked(it: Running, words: bytes) -> socket.socket:
    """Open a connection whose system reads little ahead, and ask."""
    pipe = socket.socket()
    pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    pipe.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(pipe, ("127.0.0.1", httpx2.URL(it.url).port))
    await loop.sock_sendall(pipe, words)
    return pipe


async def rest(pipe: socket.socket) -> bytes:
    """Return what there still is to read."""
    found, loop = b"", asyncio.get_running_loop()
    while data := await loop.sock_recv(pipe, 2**16):
        found += data
    return found


async def a_log(it: Running, size: int) -> bytes:
    """Return a request for the log of a job that has printed much."""
    job = (await it.ran("quick"))["id"]
    (it.root / "data/reports" / job / "log").write_bytes(b"x" * size)
    head = f"GET /v1/jobs/{job}/logs HTTP/1.1\r\nHost: it\r\nConnection: close\r\n"
    return f"{head}Authorization: Bearer {token('gateway')}\r\n\r\n".encode()


def test_whose_answer_is_not_read_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: list[Connection]
) -> None:
    monkeypatch.setattr(connections, "STALL_SECONDS", 1.0)

    async def story(it: Running) -> None:
        of_log = await a_log(it, MUCH)
        there = len(made[0].connections)
        # Of some of these the system takes all, and of some all but the end of the last answer.
        pipes = [await asked(it, GET * count + LAST) for count in range(10, 30)]
        pipes += [await asked(it, each) for each in (GET * 400, of_log)]
        assert len(made[0].connections) > there
        await until(lambda: len(made[0].connections) == there)
        # Nor has the system kept much of what nobody read.
        assert len(await rest(pipes[-1])) < 2**20
        for pipe in pipes:
            pipe.close()

    told(tmp_path, story)


def test_any_number_may_be_unread_and_others_are_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_UNREAD", 4)
    monkeypatch.setattr(connections, "MOST_WAITING", 8)
    monkeypatch.setitem(SERVED, "limit_concurrency", 16)

    async def story(it: Running) -> None:
        of_log = await a_log(it, MUCH)
        pipes = [await asked(it, of_log) for _ in range(14)]
        await asyncio.sleep(0.3)
        pipes += [await asked(it, b"") for _ in range(8)]
        assert [await status(it) for _ in range(3)] == [200] * 3
        for pipe in pipes:
            pipe.close()

    told(tmp_path, story)


def test_who_reads_slowly_gets_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALL_SECONDS", 1.0)

    async def story(it: Running) -> None:
        loop = asyncio.get_running_loop()
        pipe = await asked(it, await a_log(it, 640 * 1024))
        begun, size, last = loop.time(), 0, b""
        while data := await loop.sock_recv(pipe, 16 * 1024):
            size, last = size + len(data), (last + data)[-5:]
            # A piece of the log, which the runner sends at once, takes longer than a stall.
            await asyncio.sleep(begun + size / (160 * 1024) - loop.time())
        assert size > 640 * 1024
        assert last == b"0\r\n\r\n"
        pipe.close()

    told(tmp_path, story)
