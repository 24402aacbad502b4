"""The door: connections are bounded in number and time before a word of theirs is read.

Whoever reaches the port may open connections. One connection carries one request: nothing that is
hidden behind a request is ever read as a second one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import cast

HEAD_SECONDS = 15.0
"""From the connection to the end of the request's head."""
PER_PEER = 256
"""Connections from one address."""


class Door:
    """Makes the protocol of each connection, around that of the HTTP server."""

    def __init__(self, make: Callable[[], asyncio.Protocol], head_seconds: float = HEAD_SECONDS,
                 per_peer: int = PER_PEER):  # fmt: skip
        self.make = make
        self.head_seconds = head_seconds
        self.per_peer = per_peer
        self.peers: Counter[str] = Counter()
        self._waiting: dict[object, asyncio.TimerHandle] = {}

    def __call__(self) -> asyncio.Protocol:
        return _Connection(self)

    def arrived(self, protocol: object) -> None:
        """Note that the head of a request has come: what follows has deadlines of its own."""
        if handle := self._waiting.pop(protocol, None):
            handle.cancel()

    def expect(self, protocol: object, handle: asyncio.TimerHandle) -> None:
        """Keep the alarm of a connection until the head has come, or the end."""
        self._waiting[protocol] = handle


class _Connection(asyncio.Protocol):
    def __init__(self, door: Door):
        self.door = door
        self.inner: asyncio.Protocol | None = None
        self.peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        link = cast(asyncio.Transport, transport)
        peer = link.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else "?"
        self.door.peers[self.peer] += 1
        if self.door.peers[self.peer] > self.door.per_peer:
            link.abort()
            return
        self.inner = self.door.make()
        alarm = asyncio.get_running_loop().call_later(self.door.head_seconds, link.abort)
        self.door.expect(self.inner, alarm)
        self.inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.door.peers[self.peer] -= 1
        if not self.door.peers[self.peer]:
            del self.door.peers[self.peer]
        if self.inner:
            self.door.arrived(self.inner)
            self.inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.inner:
            self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self.inner.eof_received() if self.inner else None

    def pause_writing(self) -> None:
        if self.inner:
            self.inner.pause_writing()

    def resume_writing(self) -> None:
        if self.inner:
            self.inner.resume_writing()
