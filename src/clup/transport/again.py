"""A second login: beside the connection that a run works over, as the proof that one can come back,
and in its place when it broke."""

from __future__ import annotations

import socket
import time
from typing import Any, cast

import gevent
from pyinfra.api.exceptions import ConnectError
from pyinfra.api.host import Host
from pyinfra.connectors.ssh import SSHConnector

from clup.transport import raw


def login(host: Host, ports: tuple[int, ...], seconds: float) -> str | None:
    """Log in to a connected host once more, with the same data, and become root there.

    Return None when that works within `seconds`, else why not, in one line. On the machine itself
    (`@local`) there is no login to make: there sshd must greet on one of `ports`.
    """
    try:
        with gevent.Timeout(seconds):
            return _login(host) if isinstance(host.connector, SSHConnector) else _greeting(ports)
    except gevent.Timeout:
        return f"no answer within {seconds:.0f} s"


PAUSE = 2.0
"""Seconds between two attempts to reach a machine again."""


def reconnect(host: Host, seconds: float) -> None:
    """Log in to a host anew, in place of its connection, which broke. Try for so many seconds.

    Raise ConnectionError when that does not work, and for a host that is reached without ssh.
    """
    if not isinstance(host.connector, SSHConnector):
        raise ConnectionError("the program on this machine ended early; try again")
    until = time.monotonic() + seconds
    while True:
        fresh = SSHConnector(host.state, host)
        try:
            with gevent.Timeout(min(seconds, 30), ConnectionError("no answer")):
                fresh.connect()
            break
        except (ConnectError, OSError) as error:
            if time.monotonic() > until:
                why = " ".join(str(error).split())
                raise ConnectionError(f"not reached again for {seconds:.0f} s ({why})") from error
        time.sleep(PAUSE)
    broken, host.connector = host.connector, fresh
    if broken.client is not None:
        broken.client.close()


def _login(host: Host) -> str | None:
    second = SSHConnector(host.state, host)
    try:
        second.connect()
        client = cast("Any", second.client)
        _, stdout, stderr = client.exec_command(raw.as_root(host, "true"))
        status = stdout.channel.recv_exit_status()
        said = stderr.read().decode(errors="replace").strip()
        return None if status == 0 else f"the login works, but not as root: {said or status}"
    except (ConnectError, OSError) as error:
        return " ".join(str(error).split())
    finally:
        if second.client is not None:
            second.client.close()


def _greeting(ports: tuple[int, ...]) -> str | None:
    for port in ports:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                if connection.recv(4).startswith(b"SSH-"):
                    return None
        except OSError:
            continue
    return f"nothing greets as sshd on 127.0.0.1, port {' or '.join(map(str, ports))}"
