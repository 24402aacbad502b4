"""Connections that say nothing, or do not read what they asked for, are bounded in number and time.

Whoever reaches the port may open connections, and say nothing on them, or ask and never read. So
one that waits for a request has a deadline, and so has one whose answer waits for its reader; and
where too many wait for the same, the one that has waited longest makes room, for whoever has
something to say says it at once, and whoever asks for something reads it. They are no requests that
are answered, and take no place of those.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 15.0
"""From the connection, or the first byte of a later request, to the end of the request's body."""
MOST_WAITING = 256
"""Connections that wait for a whole request. The bound on all of them is larger by the requests
that are answered at a time."""
STALL_SECONDS = 60.0
"""How long a reader may take nothing of an answer; the guard's is the same."""
SEND_BUFFER = 128 * 1024
"""Bytes that the system may keep of an answer (it takes twice as many). Else it takes up to 4 MB,
and tells that some were read only when a third were: who reads 20 KB/s would seem to read none."""
MOST_UNREAD = 128
"""Connections on which an answer waits for its reader at a time: who reads a little now and then
must not keep others away either."""


class Connection(H11Protocol):
    """A connection of uvicorn's that does not wait for ever.

    Between two requests uvicorn's own deadline holds, until a byte has come.
    """

    since: float | None = None
    """When it began to wait for a whole request; None while one is answered."""
    unread_since: float | None = None
    """When an answer began to wait for its reader; None while none does."""
    _alarm: asyncio.TimerHandle | None = None
    _unread_alarm: asyncio.TimerHandle | None = None
    _unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # They may be more: answered requests wait for the next, too.
        self._make_room(MOST_WAITING, lambda each: each.since)
        super().connection_made(transport)
        # An answer waits for its reader from the first byte on that the system does not take, also
        # that of a connection which is being closed.
        transport.set_write_buffer_limits(0)
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        self._is_read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._make_room(MOST_UNREAD, lambda each: each.unread_since)
        self.unread_since = self.loop.time()
        self._see_reader_later()

    def resume_writing(self) -> None:
        self._is_read()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.IDLE:
            self.since = self.loop.time()
        else:
            self._look()

    def drop(self) -> None:
        """End it now. It counts no more, though the event loop tells of its end later."""
        self._wait_no_more()
        self._is_read()
        self.connections.discard(self)
        self.transport.abort()

    def _make_room(self, most: int, since: Callable[[Connection], float | None]) -> None:
        """Given since when a connection does something, end those that have done it longest, until
        there is room for one more."""
        doing = [
            (began, each)
            for each in self.connections
            if isinstance(each, Connection) and (began := since(each)) is not None
        ]
        doing.sort(key=lambda each: each[0])
        for _, longest in doing[: max(0, len(doing) + 1 - most)]:
            longest.drop()

    def _see_reader_later(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self._unread_alarm = self.loop.call_later(STALL_SECONDS, self._see_reader)

    def _see_reader(self) -> None:
        if self.transport.get_write_buffer_size() < self._unread:
            self._see_reader_later()
        else:
            self.drop()

    def _is_read(self) -> None:
        self.unread_since = None
        if self._unread_alarm:
            self._unread_alarm.cancel()
            self._unread_alarm = None

    def _look(self) -> None:
        if self.conn.their_state not in (h11.IDLE, h11.SEND_BODY):
            self._wait_no_more()
            return
        self.since = self.since or self.loop.time()
        self._alarm = self._alarm or self.loop.call_later(REQUEST_SECONDS, self.drop)

    def _wait_no_more(self) -> None:
        self.since = None
        if self._alarm:
            self._alarm.cancel()
            self._alarm = None


SERVED: dict[str, Any] = {
    "http": Connection,
    # Connections count here, too: half of them are left to requests, however many wait.
    "limit_concurrency": 2 * MOST_WAITING,
    "timeout_keep_alive": 30,
}
"""How uvicorn is to serve."""
