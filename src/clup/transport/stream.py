"""A command that changes a machine and is sent bytes while it runs, as many as there are.

pyinfra's own commands have text for their input, and the guard holds all of it before they begin.
Here the command begins at once: it must itself leave the machine as it was if its input breaks off.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any, cast

from pyinfra.api.host import Host
from pyinfra.connectors.ssh import SSHConnector

from clup.transport import cache, guard, lost, raw
from clup.transport.raw import Answer

Said = Callable[[str], None]


def run(
    host: Host,
    what: str,
    words: Sequence[str],
    chunks: Iterable[bytes],
    said: Said,
    silence: float,
) -> Answer:
    """Run a program with its arguments as root on a connected host whose lock is held, send it
    bytes, and return how it ended.

    `what` says what it is for, to whoever has to wait for it; `said` gets each line that it writes.
    Raise TimeoutError when it takes or says nothing for `silence` seconds, ConnectionError when the
    connection ends.
    """
    cache.memory(host).commands += 1
    line = raw.as_root(host, *guard.words(what, *words))
    try:
        if isinstance(host.connector, SSHConnector):
            return _over_ssh(cast("Any", host.connector.client), line, chunks, said, silence)
        return _here(line, chunks, said)
    except TimeoutError as error:
        raise TimeoutError(f"no answer within {silence:.0f} s; try again") from error
    finally:
        cache.forget(host)


def _over_ssh(
    client: Any, line: str, chunks: Iterable[bytes], said: Said, silence: float
) -> Answer:
    writer, stdout, stderr = client.exec_command(line, timeout=silence)
    listener = _Listener(stdout, said)
    channel = writer.channel
    try:
        for chunk in chunks:
            channel.sendall(chunk)
        channel.shutdown_write()
    except TimeoutError:
        raise
    except OSError:
        lost.see(client)  # else the command ended before it had read all, and says why
    listener.join()
    errors = stderr.read()
    answer = Answer(stdout.channel.recv_exit_status(), listener.output, errors)
    if answer.status != 0:
        lost.see(client)
    return answer


def _here(line: str, chunks: Iterable[bytes], said: Said) -> Answer:
    """The machine is this one: what a command here does is not watched for silence."""
    pipe = subprocess.PIPE
    with subprocess.Popen(["sh", "-c", line], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        listener = _Listener(process.stdout, said)
        try:
            for chunk in chunks:
                process.stdin.write(chunk)
            process.stdin.close()
        except BrokenPipeError:
            pass  # it ended before it had read all, and says why
        listener.join()
        errors = process.stderr.read()
    return Answer(process.returncode, listener.output, errors)


class _Listener(threading.Thread):
    """Reads what a command writes while it is still sent its input."""

    def __init__(self, stdout: IO[bytes], said: Said):
        super().__init__(daemon=True)
        # Bytes would be copied whole for each line that is added.
        self._read = bytearray()
        self._stdout = stdout
        self._said = said
        self._error: Exception | None = None
        self.start()

    @property
    def output(self) -> bytes:
        """What was read so far."""
        return bytes(self._read)

    def run(self) -> None:
        try:
            for line in self._stdout:
                text = line if isinstance(line, bytes) else line.encode()
                self._read += text
                self._said(text.decode(errors="replace").strip())
        except OSError as error:
            self._error = error

    def join(self, timeout: float | None = None) -> None:
        """Wait for the end of the output. Raise what it broke off with."""
        super().join(timeout)
        if self._error is not None:
            raise self._error
