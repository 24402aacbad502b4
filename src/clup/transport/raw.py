"""Commands over the connection that pyinfra has already made, outside its facts and operations.

Exact where pyinfra's own answer is not: the exit status, and the bytes as they came.
"""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from typing import Any, cast

from pyinfra.api.host import Host
from pyinfra.connectors.ssh import SSHConnector
from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host as TestinfraHost

from clup.transport import cache, lost

TIMEOUT = 60
"""Seconds that one command may stay silent."""


@dataclass(frozen=True)
class Answer:
    """How a command ended: its exit status and what it wrote."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def error(self) -> str:
        """The last line of stderr, or the status where there is none."""
        lines = self.stderr.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit status {self.status}"


def is_sudo(host: Host) -> bool:
    """Whether commands on a host go through sudo, by its data or by pyinfra's configuration."""
    return bool(host.data.get("_sudo", host.state.config.SUDO))


def as_root(host: Host, *words: str) -> str:
    """Given a program and its arguments, return the shell line that runs it as root there."""
    return shlex.join(["sudo", "-n", *words] if is_sudo(host) else words)


def run(host: Host, line: str, stdin: bytes = b"", timeout: float = TIMEOUT) -> Answer:
    """Run a shell line on a connected host and return how it ended.

    Raise TimeoutError when it is silent for `timeout` seconds, ConnectionError when the connection
    ends.
    """
    cache.memory(host).commands += 1
    try:
        if not isinstance(host.connector, SSHConnector):
            done = subprocess.run(
                ["sh", "-c", line], input=stdin, capture_output=True, timeout=timeout, check=False
            )
            return Answer(done.returncode, done.stdout, done.stderr)
        client = cast("Any", host.connector.client)
        writer, stdout, stderr = client.exec_command(line, timeout=timeout)
        if stdin:
            writer.write(stdin)
        writer.channel.shutdown_write()
        out, err = stdout.read(), stderr.read()
        answer = Answer(stdout.channel.recv_exit_status(), out, err)
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        raise TimeoutError(f"no answer within {timeout:.0f} s; try again") from error
    if answer.status != 0:
        lost.see(client)
    return answer


class PyinfraBackend(BaseBackend):  # type: ignore[misc]  # testinfra has no types
    """testinfra over pyinfra's connection, as root: no second login, no 30 ms a command."""

    NAME = "pyinfra"

    def __init__(self, host: Host):
        super().__init__(hostname=host.name)
        self._encoding = "utf-8"
        self.target = host

    def run(self, command: str, *args: str, **_: Any) -> CommandResult:
        """Run a command as root, with `%s` for each argument."""
        answer = run(self.target, as_root(self.target, "sh", "-c", self.quote(command, *args)))
        return self.result(answer.status, command.encode(), answer.stdout, answer.stderr)


def testinfra_host(host: Host) -> TestinfraHost:
    """Given a connected pyinfra host, return testinfra's view of the same machine."""
    return TestinfraHost(PyinfraBackend(host))
