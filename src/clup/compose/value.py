"""Values of compose files and of `docker inspect`, read so that nothing raises.

The schema tells what has the wrong form. Here it becomes what makes a rule fail, never what makes
it hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from clup.compose.problem import Path
from clup.compose.service import At

_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_SIZE = re.compile(r"(?i)([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([bkmgt]?)(?:i?b)?")


def mapping(value: object) -> Mapping[Any, Any]:
    """Return a mapping as it is, and an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def items(value: object, path: Path) -> Iterator[tuple[Path, Any]]:
    """Given a list at a path, yield its items with theirs; of what is no list, it as the item."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield (*path, index), item
    elif value not in (None, {}):
        yield path, value


def texts(value: object, path: Path) -> tuple[At[str], ...]:
    """Return the items of a list as texts."""
    return tuple(At(at, text(item)) for at, item in items(value, path))


def pairs(value: object, path: Path) -> Iterator[tuple[Path, str, str | None]]:
    """Given a mapping, or a list of KEY=VALUE, yield path, key, and value: None where none is."""
    if isinstance(value, Mapping):
        for key, said in value.items():
            yield (*path, key), text(key), None if said is None else text(said)
        return
    for at, item in items(value, path):
        key, is_given, said = text(item).partition("=")
        yield at, key, said if is_given else None


def strings(value: object, path: Path) -> Iterator[At[str]]:
    """Yield every text at and below a path."""
    if isinstance(value, str):
        yield At(path, value)
    elif isinstance(value, Mapping):
        for key, said in value.items():
            yield from strings(said, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from strings(item, (*path, index))


def text(value: object) -> str:
    """Return a value as a text: nothing for None, true and false as YAML writes them."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return str(value)
    except ValueError:
        return "a number with thousands of digits"


def is_true(value: object) -> bool:
    """Whether a value says yes for certain."""
    return value is True or text(value).lower() == "true"


def is_said(value: object) -> bool:
    """Whether a value may mean anything but no."""
    return value not in (None, False, 0, [], {}) and text(value).lower() not in ("", "false")


def is_read_only(options: str) -> bool:
    """Given the options of a mount in the short form, such as `ro,z`, whether it is read-only."""
    return "ro" in options.split(",")


def number(value: object) -> float | None:
    """Return an amount, or None for what is none; 0 and less mean without a limit."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def size(value: object) -> float | None:
    """Return a size such as 512m in bytes, or None for what is none."""
    if isinstance(value, str) and (found := _SIZE.fullmatch(value.strip())):
        return float(found[1]) * _UNITS[found[2].lower()]
    return number(value)
