"""The proof that sshd greets, where there is no login to make: on the machine itself."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import SimpleNamespace
from typing import Any

from clup.transport import again

LOCAL: Any = SimpleNamespace(connector=object())


@contextmanager
def greeting(banner: bytes) -> Iterator[int]:
    """Serve one connection with a banner; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):
                connection.sendall(banner)
                connection.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_sshd_may_greet_on_any_of_its_ports() -> None:
    with greeting(b"SSH-2.0-OpenSSH_10.0\r\n") as port:
        assert again.login(LOCAL, (closed_port(), port), 5) is None


def test_another_program_on_the_port_is_no_proof() -> None:
    with greeting(b"HTTP/1.1 400 Bad Request\r\n") as port:
        said = again.login(LOCAL, (port,), 5)
    assert said == f"nothing greets as sshd on 127.0.0.1, port {port}"


def test_a_port_that_stays_silent_has_a_deadline() -> None:
    with greeting(b"") as port:
        assert again.login(LOCAL, (port,), 1) == "no answer within 1 s"


def test_without_a_listener_the_ports_are_named() -> None:
    one, other = closed_port(), closed_port()
    said = again.login(LOCAL, (one, other), 5)
    assert said == f"nothing greets as sshd on 127.0.0.1, port {one} or {other}"
