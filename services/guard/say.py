"""The guard's log: a line of JSON for each event, on standard output."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime

_PER_SECOND = 20
_LONGEST = 300


def say(event: str, **values: object) -> None:
    """Write an event with its values; long texts are cut."""
    line: dict[str, object] = {"time": now(), "event": event}
    line |= {key: _brief(value) for key, value in values.items()}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def now() -> str:
    """Return the time in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _brief(value: object) -> object:
    return value[:_LONGEST] if isinstance(value, str) else value


class Lines(logging.Handler):
    """What the HTTP server says of requests that are none, in single lines and sparingly."""

    def __init__(self, sparingly: Sparingly):
        super().__init__()
        self.sparingly = sparingly

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record without its traceback; of an error, the last words."""
        error = record.exc_info[1] if record.exc_info else None
        self.sparingly.say("http", message=record.getMessage(), error=repr(error) if error else "")


class Sparingly:
    """Writes events that a stranger can cause, so many a second; the rest are counted."""

    def __init__(self, per_second: int = _PER_SECOND):
        self._per_second = per_second
        self._second = 0
        self._written = 0
        self._dropped = 0

    def say(self, event: str, **values: object) -> None:
        """Write an event, unless there were too many this second."""
        second = int(time.monotonic())
        if second != self._second:
            if self._dropped:
                say("dropped", lines=self._dropped)
            self._second, self._written, self._dropped = second, 0, 0
        if self._written < self._per_second:
            self._written += 1
            say(event, **values)
        else:
            self._dropped += 1
