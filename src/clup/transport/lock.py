"""One run at a time on a machine: a lock that lives as long as the connection that took it.

It is taken by `clup apply` before it decides anything, and by plain pyinfra before the first fact
or command of the operations that it executes. A process on the machine holds it and reads from
the connection; when that ends, however it ends, the kernel releases the lock.

A command of the run before may outlive its connection (see `guard`): it is waited for.
"""

from __future__ import annotations

import atexit
import getpass
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import IO, Any, cast
from weakref import WeakKeyDictionary

from pyinfra import logger
from pyinfra.api.host import Host
from pyinfra.connectors.ssh import SSHConnector

from clup import watch
from clup.transport import cache, guard, raw
from clup.transport.cache import Command, Options

LEFTOVER_S = 600
"""Seconds for which a run waits for a command of a former one: apt may take minutes."""

# The holder of a run that has just ended may take a moment to notice, hence the 3 s. Whoever waits
# writes a line each second, and so is killed when the connection ends.
# $1 says who takes it, $2 which run it is, $3 for how many seconds a command is waited for. Each
# line is one word and what there is to say to it; "waiting" is not the last.
_HOLD = f"""umask 077; mkdir -p {guard.FOLDER} && exec 9>>{guard.FOLDER}/apply.lock || exit 1
flock -w 3 9 || {{ echo "busy $(cat {guard.FOLDER}/apply.owner)"; exit; }}
echo "$1" >{guard.FOLDER}/apply.owner; echo "$2" >{guard.TOKEN}
exec 8>>{guard.RUNNING}
left=$3
until flock -n 8; do
  what="$(cat {guard.COMMAND}), since $(date -u -r {guard.COMMAND} +%H:%M:%S) UTC"
  [ "$left" -gt 0 ] || {{ echo "left $what"; exit; }}
  echo "waiting $what"; flock -w 1 8 && break
  left=$((left - 1))
done
exec 8>&-
echo held; exec cat >/dev/null
"""

TIMEOUT = 30
"""Seconds to wait for the machine's answer."""

SAY_EVERY = 10
"""Seconds after which whoever waits is told again what for."""

Holder = Callable[[], object]
"""Ends the process on the machine that holds the lock."""

_held: WeakKeyDictionary[Host, Holder] = WeakKeyDictionary()


def install() -> None:
    """Have every run take the lock before its first change; again is harmless."""
    if take not in cache.before_change:
        cache.before_change.append(take)
        cache.around_change.append(_guarded)
        atexit.register(_release_all)


def take(host: Host, say: Callable[[str], None] = logger.warning) -> str | None:
    """Given a connected host, hold its lock until the connection ends.

    Return None when it is held, else one line that says who holds it, or why it was not had.
    `say` is told what is waited for meanwhile.
    """
    if host in _held:
        return None
    answers, holder = _ask(host, _command(host))
    for number, answer in enumerate(answers):
        word, _, what = answer.partition(" ")
        if word != "waiting":
            break
        if number % SAY_EVERY == 0:
            say(f"{host.name}: waiting for a command of a former run to end: {what}")
    if word == "held":
        _held[host] = holder
        # What was read before may be what another run has changed since.
        cache.forget(host)
        return None
    holder()
    if word == "busy":
        owner = what or "an unknown run"
        return f"{host.name} is being changed by {owner}; wait until that run ends, then try again"
    if word == "left":
        return (
            f"{host.name}: a command of a former run still works there after {LEFTOVER_S} s"
            f" ({what}); see with `pstree -alp PROCESS` what it waits for, end that, then try again"
        )
    return f"{host.name}: /run/clup/apply.lock could not be taken ({answer}); is /run writable?"


def release(host: Host) -> None:
    """Give a host's lock back, if this process has it."""
    if host in _held:
        _held.pop(host)()


def _release_all() -> None:
    for host in list(_held):
        release(host)


def _guarded(host: Host, command: Command, options: Options) -> tuple[Command, Options]:
    operation = host.executing_op_hash
    what = ": ".join(watch.names(host.state, operation)) if operation else "a command"
    return guard.guarded(command, what, options)


def _command(host: Host) -> str:
    who = f"{getpass.getuser()}@{socket.gethostname()}, process {os.getpid()}"
    return raw.as_root(host, "sh", "-c", _HOLD, "sh", who, guard.this_run(), str(LEFTOVER_S))


def _ask(host: Host, command: str) -> tuple[Iterator[str], Holder]:
    """Start the process that holds the lock; return its lines as they come, and what ends it."""
    if isinstance(host.connector, SSHConnector):
        client = cast("Any", host.connector.client)
        stdin, stdout, stderr = client.exec_command(command, timeout=TIMEOUT)
        # The closure keeps stdin: collected, it would end the remote side, and so the lock.
        return _lines(stdout, stderr), lambda: stdin.channel.close()
    process = subprocess.Popen(
        ["sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    return _lines(process.stdout, process.stderr), process.communicate


def _lines(stdout: IO[str], stderr: IO[str]) -> Iterator[str]:
    """Yield what the holder says; a last line says why, if it ends without a word."""
    while line := stdout.readline().strip():
        yield line
    yield stderr.readline().strip() or "no answer"
