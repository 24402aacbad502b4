"""A program on the machine whose output is read line by line, as it comes."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

from pyinfra.api.host import Host
from pyinfra.connectors.ssh import SSHConnector

from clup.transport import cache, lost
from clup.transport.raw import Answer


def lines(host: Host, line: str, stdin: bytes, silence: float) -> Iterator[bytes]:
    """Run a shell line on a connected host and yield the lines of its stdout, each with its end.

    A reader that stops ends it: what it then writes goes nowhere. Raise ConnectionError when the
    connection ends, TimeoutError after so many seconds of silence (over ssh), OSError with the last
    line of stderr when the program fails.
    """
    cache.memory(host).commands += 1
    if isinstance(host.connector, SSHConnector):
        yield from _over_ssh(cast("Any", host.connector.client), line, stdin, silence)
    else:
        yield from _here(line, stdin)


def _over_ssh(client: Any, line: str, stdin: bytes, silence: float) -> Iterator[bytes]:
    writer, stdout, stderr = client.exec_command(line, timeout=silence)
    channel = stdout.channel
    try:
        writer.write(stdin)
        channel.shutdown_write()
        try:
            yield from channel.makefile("rb")
        except TimeoutError as error:
            raise TimeoutError(f"no sign of life within {silence:.0f} s") from error
        answer = Answer(channel.recv_exit_status(), b"", stderr.read())
    finally:
        channel.close()
    if answer.status != 0:
        lost.see(client)
        raise OSError(answer.error)


def _here(line: str, stdin: bytes) -> Iterator[bytes]:
    pipe = subprocess.PIPE
    # Ctrl-C is for the command, which decides what becomes of the program.
    with subprocess.Popen(
        ["sh", "-c", line], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    ) as process:
        assert process.stdin is not None, "a pipe was asked for"
        assert process.stdout is not None, "a pipe was asked for"
        assert process.stderr is not None, "a pipe was asked for"
        said: list[bytes] = []
        read = process.stderr.read
        reader = threading.Thread(target=lambda: said.append(read()))
        try:
            reader.start()
            with suppress(BrokenPipeError):
                process.stdin.write(stdin)
                process.stdin.close()
            yield from process.stdout
            status = process.wait()
        finally:
            process.stdout.close()
            with suppress(PermissionError):  # through sudo it is root's, and ends as it writes
                process.terminate()
            reader.join()
    if status != 0:
        raise OSError(Answer(status, b"", said[0]).error)
