"""A machine that goes away in the middle of a run: said in words, and it alone leaves the run.

pyinfra takes the end of a connection for a command that failed without a word, or ends the run of
all hosts with a traceback.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paramiko import Channel, SSHException
from pyinfra import logger
from pyinfra.api import operations
from pyinfra.api.host import Host
from pyinfra.api.state import State
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.sshuserclient.client import SSHClient
from pyinfra.connectors.util import CommandOutput, OutputLine

ENDED = "the connection ended; what runs there may go on for a while: see that it is up, try again"


NO_STATUS = -1
"""What paramiko gives for the exit status of a command that ended without one."""

SETTLE_S = 1
"""Seconds for which paramiko may still clean up after a connection."""


def install() -> None:
    """Have every connection of this process end in words; again is harmless."""
    if getattr(SSHClient.exec_command, "is_guarded", False):
        return
    SSHClient.exec_command = _guarded(SSHClient.exec_command)  # type: ignore[method-assign]
    Channel.recv_exit_status = _settled(Channel.recv_exit_status)  # type: ignore[method-assign, assignment]
    run, run_op = SSHConnector.run_shell_command, operations.run_host_op

    def run_shell_command(connector: SSHConnector, *words: Any, **options: Any) -> Any:
        try:
            status, output = run(connector, *words, **options)
            if not status:
                see(connector.client)
        except ConnectionError as error:
            return False, CommandOutput([OutputLine("stderr", str(error))])
        return status, output

    def run_host_op(state: State, host: Host, op_hash: str) -> bool:
        try:
            return run_op(state, host, op_hash)
        except Exception as error:  # noqa: BLE001  it would end the run of all hosts
            # What an operation makes of a machine that has failed is no news.
            if host not in state.failed_hosts:
                host.log_styled(own_fault(error), fg="red", log_func=logger.error)
            return False

    SSHConnector.run_shell_command = run_shell_command  # type: ignore[method-assign, assignment]
    operations.run_host_op = run_host_op


def see(client: Any) -> None:
    """Given a connection's client, raise ConnectionError unless the connection still stands."""
    transport = client.get_transport()
    if transport is None or not transport.is_active():
        raise ConnectionError(ENDED)


def settle(its: Any) -> None:
    """Given a connection's client or channel, wait until paramiko has found its end, if that is
    near: whoever waits for an answer on it is told a moment before."""
    if (transport := its.get_transport()) is not None:
        transport.join(SETTLE_S)


def own_fault(error: BaseException) -> str:
    """Given what code of ours raised about a machine, return the line about it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    said = " ".join(f"{type(error).__name__}: {error}".split())
    where = f"{Path(place.filename).name} line {place.lineno}"
    return f"clup itself failed at {where} ({said}); please report this line"


def _settled(receive: Callable[[Channel], int]) -> Callable[[Channel], int]:
    """A connection that ends ends its commands without a status, a moment before paramiko says
    that it ended: then a command that was cut off would seem to have failed by itself."""

    def recv_exit_status(channel: Channel) -> int:
        status = receive(channel)
        if status == NO_STATUS:
            settle(channel)
        return status

    return recv_exit_status


def _guarded(execute: Callable[..., Any]) -> Callable[..., Any]:
    def exec_command(client: SSHClient, *words: Any, **options: Any) -> Any:
        try:
            return execute(client, *words, **options)
        except (SSHException, EOFError, OSError) as error:
            settle(client)
            see(client)
            said = str(error) or type(error).__name__
            raise ConnectionError(f"the machine starts no command: {said}") from error

    exec_command.is_guarded = True  # type: ignore[attr-defined]
    return exec_command
