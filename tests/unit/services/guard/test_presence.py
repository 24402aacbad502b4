"""Whether Docker stayed, against a socket whose daemon keeps a connection, or is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.guard import presence
from services.guard.docker import Docker
from services.guard.presence import Presence

FULL = "f" * 64


@asynccontextmanager
async def daemon(socket: Path) -> AsyncIterator[None]:
    """A Docker that answers on a connection, keeps it, and is killed."""
    kept: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        assert asked.startswith(b"GET /_ping ")
        assert b"close" not in asked
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
        kept.append(writer)

    server = await asyncio.start_unix_server(answer, socket)
    try:
        yield
    finally:
        server.close()
        for each in kept:
            each.transport.abort()
        socket.unlink(missing_ok=True)


def test_docker_that_came_back_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "AGAIN_SECONDS", 0.01)
    socket = tmp_path / "socket"

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.01)

    async def story() -> None:
        async with Docker(socket) as docker:
            seen = Presence(docker)

            def is_here() -> bool:
                seen.note("probe")
                return seen.has_lasted("probe")

            watching = asyncio.create_task(seen.run())
            seen.note(FULL)
            assert not seen.has_lasted(FULL)
            async with daemon(socket):
                await until(is_here)
                assert not seen.has_lasted(FULL), "it was started when nobody knew of a Docker"
                seen.note(FULL)
                assert seen.has_lasted(FULL)
                assert not seen.has_lasted("e" * 64), "what another guard started"
            await until(lambda: not seen.has_lasted(FULL))
            async with daemon(socket):
                await until(is_here)
                assert not seen.has_lasted(FULL)
                seen.note(FULL)
                seen.forget(FULL)
                assert not seen.has_lasted(FULL)
            watching.cancel()

    asyncio.run(story())
