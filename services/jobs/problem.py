"""What is wrong in a job file or in the parameters of a request, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Keys and indices from the root of a job file."""

_LONG = 80


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: at which path, which value, why, and what to do about it."""

    path: str
    value: str
    reason: str
    cure: str
    origin: str = ""

    def __str__(self) -> str:
        where = f" ({self.origin})" if self.origin else ""
        value = f"{self.value} " if self.value else ""
        return f"At {self.path}{where}: {value}{self.reason}; {self.cure}"


class JobError(ValueError):
    """A job file or parameters that go no further. `problems` are sorted, each once."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def dotted(path: Path) -> str:
    """Return a path as messages show it, such as limits.seconds."""
    return ".".join(_plain(str(part)) for part in path) or "the file"


def shown(value: object) -> str:
    """Return a value as messages show it: on one line, and not all of a long one."""
    try:
        return _brief(repr(value))
    except (ValueError, RecursionError):
        return "a value that cannot be shown"


def _plain(text: str) -> str:
    return _brief(text if text and text.isprintable() else repr(text))


def _brief(text: str) -> str:
    return text if len(text) <= _LONG else text[: _LONG - 3] + "..."
