"""Where the output of a job goes: to stdout and stderr as it came, or to stderr alone for --json.

On a terminal it is made harmless first; a file or a pipe gets every byte.
"""

from __future__ import annotations

import codecs
import os
import sys
from typing import TextIO

from clup.jobs.harmless import RESET, harmless


class Output:
    """Writes what a job prints."""

    def __init__(self, only_stderr: bool):
        self._streams = {"stdout": _Stream(sys.stderr if only_stderr else sys.stdout)}
        self._streams["stderr"] = _Stream(sys.stderr)

    def write(self, stream: str, data: bytes) -> None:
        """Write what came from a stream. Raise KeyboardInterrupt when nobody reads any more."""
        try:
            self._streams[stream].write(data)
        except BrokenPipeError:
            # What is still buffered would fail once more as the process ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise KeyboardInterrupt from None

    def end(self) -> None:
        """End colours and a line that were begun on a terminal, so that what follows stands by
        itself, and can be seen."""
        for stream in self._streams.values():
            stream.end()


class _Stream:
    def __init__(self, file: TextIO):
        self._file = file
        self._is_terminal = file.isatty()
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._is_begun = False
        self._is_coloured = False

    def write(self, data: bytes) -> None:
        if self._is_terminal:
            data = harmless(self._decoder.decode(data)).encode()
        self._is_begun = not data.endswith(b"\n") if data else self._is_begun
        self._is_coloured = self._is_coloured or b"\x1b" in data
        self._put(data)

    def end(self) -> None:
        if self._is_terminal:
            self._put(RESET.encode() * self._is_coloured + b"\n" * self._is_begun)
            self._is_begun = self._is_coloured = False

    def _put(self, data: bytes) -> None:
        self._file.flush()
        self._file.buffer.write(data)
        self._file.buffer.flush()
