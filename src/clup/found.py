"""What a machine is, said as settings: for somebody who has one and no `group_data` for it yet."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clup.settings import Problem

WIDTH = 100
"""Characters in a line of what is printed."""

_MISSING = object()


@dataclass(frozen=True)
class Found:
    """One setting as the machine has it: its path below the role, and why it is said."""

    path: tuple[str, ...]
    value: Any
    why: str = ""

    def at(self, role: str) -> str:
        """Return its path in the settings as a whole."""
        return ".".join((role, *self.path))


@dataclass(frozen=True)
class Note:
    """What settings cannot say of a machine, or better do not."""

    text: str


ByRole = dict[str, list[Found]]


def new(found: Iterable[Found], settings: Mapping[str, Any]) -> list[Found]:
    """Given what was found for a role and its settings as plain values, return what differs.

    An empty mapping differs where there is none at all.
    """
    return [each for each in found if _differs(each.value, _value(settings, each.path))]


def tree(found: Iterable[Found]) -> dict[str, Any]:
    """Given settings by their paths, return them as a mapping of mappings."""
    grown: dict[str, Any] = {}
    for each in found:
        *above, last = each.path
        place = grown
        for key in above:
            place = place.setdefault(key, {})
        if not (each.value == {} and last in place):
            place[last] = each.value
    return grown


def fitting(
    found: ByRole, judge: Callable[[Mapping[str, Any]], list[Problem]]
) -> tuple[ByRole, list[Problem], list[Problem]]:
    """Given settings by role and what judges them, return those that can be had; the problems of
    those that cannot; and the problems that are not about any of them."""
    refused: list[Problem] = []
    while True:
        problems = judge({role: tree(each) for role, each in found.items()})
        kept = {
            role: [each for each in said if not any(_is_about(p, each.at(role)) for p in problems)]
            for role, said in found.items()
        }
        if kept == found:
            return found, refused, problems
        gone = [each.at(role) for role, said in found.items() for each in said
                if each not in kept[role]]  # fmt: skip
        refused += [p for p in problems if any(_is_about(p, path) for path in gone)]
        found = kept


def python(found: Mapping[str, Sequence[Found]]) -> str:
    """Given settings by role, return them as a file of `group_data` has them, in one layout."""
    parts = []
    for role, said in found.items():
        if said:
            whys = {each.path: each.why for each in said}
            parts.append("\n".join(_entry(f"{role} = ", tree(said), (), whys, 0, "")) + "\n")
    return "\n".join(parts)


def comment(text: str, indent: int = 0) -> list[str]:
    """Return a text as lines of comment."""
    start = " " * indent + "# "
    return textwrap.wrap(
        text, WIDTH, initial_indent=start, subsequent_indent=start,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def _entry(
    start: str, value: Any, path: tuple[str, ...], whys: Mapping[tuple[str, ...], str], at: int,
    end: str = ",",
) -> Iterator[str]:  # fmt: skip
    indent = " " * at
    if whys.get(path):
        yield from comment(whys[path], at)
    if isinstance(value, Mapping) and value:
        yield f"{indent}{start}{{"
        for key, below in value.items():
            yield from _entry(f"{_text(key)}: ", below, (*path, key), whys, at + 4)
        yield f"{indent}}}{end}"
    elif isinstance(value, (list, tuple)) and value:
        yield f"{indent}{start}["
        for item in value:
            yield from _entry("", item, (*path, ""), whys, at + 4)
        yield f"{indent}]{end}"
    elif isinstance(value, str):
        yield f"{indent}{start}{_text(value)}{end}"
    else:
        yield f"{indent}{start}{_plain(value)!r}{end}"


def _text(value: str) -> str:
    if "\n" in value and "\\" not in value and '"""' not in value:
        return f'"""{value}"""'
    quoted = json.dumps(value, ensure_ascii=False)
    if value.count('"') <= value.count("'"):
        return quoted
    # The quotes that need fewer escapes.
    inner = re.sub(r"\\(.)", lambda found: '"' if found[1] == '"' else found[0], quoted[1:-1])
    return "'" + inner.replace("'", "\\'") + "'"


def _differs(value: Any, present: Any) -> bool:
    return present is _MISSING if value == {} else _plain(value) != _plain(present)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _value(settings: Any, path: Sequence[str]) -> Any:
    for key in path:
        if not isinstance(settings, Mapping) or key not in settings:
            return _MISSING
        settings = settings[key]
    return settings


def _is_about(problem: Problem, path: str) -> bool:
    """Whether a problem is that of a setting, of a part of it, or of what it is a part of."""
    return f"{problem.path}.".startswith(f"{path}.") or f"{path}.".startswith(f"{problem.path}.")
