"""Connections on which no whole request has come are bounded in number and time.

Whoever reaches the port may open connections, and say nothing on them. So one that waits for a
request has a deadline; and where too many wait, the one that has waited longest makes room, for
whoever has something to say says it at once. They are no requests, and take no request's place.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 15.0
"""From the connection, or the first byte of a later request, to the end of the request's body."""
MOST_WAITING = 256
"""Connections that wait for a whole request. The bound on all of them is larger by the requests
that are answered at a time."""


class Connection(H11Protocol):
    """A connection of uvicorn's that does not wait for ever.

    Between two requests uvicorn's own deadline holds, until a byte has come.
    """

    since: float | None = None
    """When it began to wait for a whole request; None while one is answered."""
    _alarm: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        waiting = [
            (each.since, each)
            for each in self.connections
            if isinstance(each, Connection) and each.since is not None
        ]
        waiting.sort(key=lambda each: each[0])
        # They may be more: answered requests wait for the next, too.
        for _, longest in waiting[: max(0, len(waiting) + 1 - MOST_WAITING)]:
            longest.drop()
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

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
        self.connections.discard(self)
        self.transport.abort()

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
