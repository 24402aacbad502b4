"""Docker's stream of a container's output, ended when it has shown as much as it may."""

from __future__ import annotations

HEADER = 8
"""Bytes before each frame: which stream, three zeros, and the frame's length, big-endian."""


class Cut:
    """Passes frames through until their content has reached a limit in bytes."""

    def __init__(self, limit: int):
        self._left = limit
        self._header = b""
        self._frame = 0
        """Bytes of the current frame that are still to come."""

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached: nothing more passes."""
        return self._left == 0 and self._frame == 0

    def passed(self, data: bytes) -> bytes:
        """Given the next bytes of the stream, return those that pass, in whole frames' words."""
        out = bytearray()
        while data and not self.is_full:
            if self._frame:
                piece, data = data[: self._frame], data[self._frame :]
                self._frame -= len(piece)
                out += piece
                continue
            need = HEADER - len(self._header)
            self._header, data = self._header + data[:need], data[need:]
            if len(self._header) == HEADER:
                # A frame that is too long is announced as long as it may be.
                length = min(int.from_bytes(self._header[4:], "big"), self._left)
                out += self._header[:4] + length.to_bytes(4, "big")
                self._frame, self._left, self._header = length, self._left - length, b""
        return bytes(out)
