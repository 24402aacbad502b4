"""How a place in a compose file or a container is named, and how its value is shown."""

from __future__ import annotations

from collections.abc import Iterable

from clup.settings import Problem, written

Path = tuple[str | int, ...]
"""Keys and indices from the root of a compose file, or of what `docker inspect` prints."""

_LONG = 80


class ComposeError(ValueError):
    """A template or a compose file that goes no further. `problems` are sorted, each once."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def dotted(path: Path) -> str:
    """Return a path as messages show it, such as services.web.ports.0."""
    return ".".join(written(part) for part in path)


def shown(value: object) -> str:
    """Return a value as messages show it: on one line, and not all of a long one."""
    try:
        text = repr(value)
    except ValueError:
        return "a number with thousands of digits"
    return text if len(text) <= _LONG else text[: _LONG - 3] + "..."
