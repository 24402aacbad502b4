"""The door, over real connections of this machine's own loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from services.guard.door import Door

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter, Door], Awaitable[None]]


class _Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        assert isinstance(self.transport, asyncio.Transport)
        self.transport.write(data)


async def _behind(door: Door, talk: Talk) -> None:
    server = await asyncio.get_running_loop().create_server(door, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.timeout(5):
                await talk(reader, writer, door)
        finally:
            writer.close()


async def _echoed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, door: Door) -> None:
    writer.write(b"hello")
    assert await reader.readexactly(5) == b"hello"
    assert door.peers == {"127.0.0.1": 1}


async def _closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, door: Door) -> None:
    with suppress(ConnectionError):
        assert await reader.read() == b""


def test_what_is_said_passes_through() -> None:
    asyncio.run(_behind(Door(_Echo), _echoed))


def test_who_says_nothing_is_sent_away() -> None:
    asyncio.run(_behind(Door(_Echo, head_seconds=0.05), _closed))


def test_one_connection_too_many_is_refused() -> None:
    asyncio.run(_behind(Door(_Echo, per_peer=0), _closed))
