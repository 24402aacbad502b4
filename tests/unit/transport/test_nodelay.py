"""What the kernel is asked to do for a connection."""

from __future__ import annotations

import socket

from clup.transport.nodelay import DEAD_AFTER_S, connect_without_delay


def test_nothing_is_delayed_and_a_dead_link_ends() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as made,
    ):
        transport = connect_without_delay(made)
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == DEAD_AFTER_S * 1000
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) < DEAD_AFTER_S
        transport.close()
