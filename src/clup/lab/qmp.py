"""QMP, the protocol by which a running QEMU is told what to do: one JSON document a line."""

import io
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clup.lab.errors import LabError
from clup.lab.qemu import QMP

SECONDS = 30.0
CURE = "`clup lab list` tells whether it is up; `clup lab cut`, then `clup lab up`, starts it anew"


class Monitor:
    """A conversation with one QEMU."""

    def __init__(self, stream: io.BufferedRWPair, where: str) -> None:
        self._stream = stream
        self._where = where
        self._events: list[dict[str, Any]] = []
        self._answer("QMP")
        self.execute("qmp_capabilities")

    def execute(self, command: str, arguments: Mapping[str, object] | None = None) -> Any:
        """Given a command and its arguments, return its result. Raise LabError if it fails."""
        request = {"execute": command, "arguments": dict(arguments or {})}
        self._stream.write(json.dumps(request).encode() + b"\n")
        self._stream.flush()
        answer = self._answer("return", "error")
        if "error" in answer:
            raise LabError(f"{command}: {answer['error']['desc']}", self._where, CURE)
        return answer["return"]

    def wait_for(self, event: str, device: str) -> None:
        """Given an event and the device that it is about, wait until it comes. Raise LabError."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            told = self._events.pop(0) if self._events else self._read()
            if told.get("event") == event and told.get("data", {}).get("device") == device:
                return
        raise LabError(f"no {event} of {device} in {SECONDS:g} s", self._where, CURE)

    def _answer(self, *kinds: str) -> dict[str, Any]:
        """Return the next document that has one of these keys; events come in between."""
        while True:
            said = self._read()
            if any(kind in said for kind in kinds):
                return said
            self._events.append(said)

    def _read(self) -> dict[str, Any]:
        try:
            line = self._stream.readline()
        except TimeoutError:
            raise LabError(f"QEMU says nothing for {SECONDS:g} s", self._where, CURE) from None
        if not line:
            raise LabError("QEMU ended", self._where, CURE)
        said: dict[str, Any] = json.loads(line)
        return said


@contextmanager
def monitor(folder: Path) -> Iterator[Monitor]:
    """Given a lab's folder, talk to its QEMU. Raise LabError when none listens."""
    where = f"lab {folder.name}"
    descriptor = os.open(folder, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(SECONDS)
            # A socket's address has at most 107 bytes, which the folder's own path may exceed.
            line.connect(f"/proc/self/fd/{descriptor}/{QMP}")
            with line.makefile("rwb") as stream:
                yield Monitor(stream, where)
    except OSError as error:
        raise LabError(f"QEMU does not answer ({error})", where, CURE) from None
    finally:
        os.close(descriptor)
