"""Docker's multiplexed log stream, taken apart: frames of a header of 8 bytes and a payload.

byte 0    stream: 1 stdout, 2 stderr (0, stdin, is given as 1)
byte 1-3  0
byte 4-7  length of the payload, most significant byte first
"""

from __future__ import annotations

from collections.abc import Iterator

STDOUT, STDERR = 1, 2
_HEADER = 8


class StreamError(ValueError):
    """Bytes that are no frame of such a stream."""


class Frames:
    """Takes bytes as they come and gives payloads as they come: nothing is gathered."""

    def __init__(self) -> None:
        self._header = b""
        self._stream = STDOUT
        self._left = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Given the next bytes, yield streams with bytes of theirs. Raise StreamError."""
        view = memoryview(data)
        while view:
            if self._left:
                part = view[: self._left]
                self._left -= len(part)
                view = view[len(part) :]
                yield self._stream, bytes(part)
                continue
            missing = _HEADER - len(self._header)
            self._header += bytes(view[:missing])
            view = view[missing:]
            if len(self._header) == _HEADER:
                self._begin(self._header)
                self._header = b""

    def _begin(self, header: bytes) -> None:
        if header[0] > STDERR or any(header[1:4]):
            raise StreamError(f"{header.hex()} is no header of a frame")
        self._stream = header[0] or STDOUT
        self._left = int.from_bytes(header[4:], "big")
