"""One run at a time on a machine: a lock that lives as long as the connection that took it.

It is taken by `clup apply` before it decides anything, and by plain pyinfra before the first fact
or command of the operations that it executes. A process on the machine holds it and reads from
the connection; when that ends, however it ends, the kernel releases the lock.
"""

from __future__ import annotations

import atexit
import getpass
import os
import socket
import subprocess
from collections.abc import Callable
from typing import IO, Any, cast
from weakref import WeakKeyDictionary

from pyinfra.api.host import Host
from pyinfra.connectors.ssh import SSHConnector

from clup.transport import cache, raw

# The holder of a run that has just ended may take a moment to notice, hence the 3 s.
# $1 says who takes it. The words "held" or "busy WHO" are the answer on the first line.
_HOLD = """umask 077; mkdir -p /run/clup && exec 9>>/run/clup/apply.lock || exit 1
if flock -w 3 9; then echo "$1" >/run/clup/apply.owner; echo held; exec cat >/dev/null
else echo "busy $(cat /run/clup/apply.owner)"; fi"""

TIMEOUT = 30
"""Seconds to wait for the machine's answer."""

Holder = Callable[[], object]
"""Ends the process on the machine that holds the lock."""

_held: WeakKeyDictionary[Host, Holder] = WeakKeyDictionary()


def install() -> None:
    """Have every run take the lock before its first change; again is harmless."""
    if take not in cache.before_change:
        cache.before_change.append(take)
        atexit.register(_release_all)


def take(host: Host) -> str | None:
    """Given a connected host, hold its lock until the connection ends.

    Return None when it is held, else one line that says who holds it, or why it was not had.
    """
    if host in _held:
        return None
    answer, holder = _ask(host, _command(host))
    if answer == "held":
        _held[host] = holder
        # What was read before may be what another run has changed since.
        cache.forget(host)
        return None
    if answer.startswith("busy"):
        owner = answer.removeprefix("busy").strip() or "an unknown run"
        return f"{host.name} is being changed by {owner}; wait until that run ends, then try again"
    return f"{host.name}: /run/clup/apply.lock could not be taken ({answer}); is /run writable?"


def release(host: Host) -> None:
    """Give a host's lock back, if this process has it."""
    if host in _held:
        _held.pop(host)()


def _release_all() -> None:
    for host in list(_held):
        release(host)


def _command(host: Host) -> str:
    who = f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}"
    return raw.as_root(host, "sh", "-c", _HOLD, "sh", who)


def _ask(host: Host, command: str) -> tuple[str, Holder]:
    """Start the process that holds the lock; return its first line, and what ends it."""
    if isinstance(host.connector, SSHConnector):
        client = cast("Any", host.connector.client)
        stdin, stdout, stderr = client.exec_command(command, timeout=TIMEOUT)
        # The closure keeps stdin: collected, it would end the remote side, and so the lock.
        return _first_line(stdout, stderr), lambda: stdin.channel.close()
    process = subprocess.Popen(
        ["sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    return _first_line(process.stdout, process.stderr), process.communicate


def _first_line(stdout: IO[str], stderr: IO[str]) -> str:
    return stdout.readline().strip() or stderr.readline().strip() or "no answer"
