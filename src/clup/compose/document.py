"""From text to a document: YAML of which every reader understands the same, with its line numbers.

Compose reads YAML by the rules of a library of Go, we by those of Python. What those two could read
differently is refused, so that what is judged is what runs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from clup.compose.problem import ComposeError, Path, dotted, shown
from clup.settings import Problem

_DEEPEST = 50
_MOST_VALUES = 50_000

_NULLS = {"", "~", "null", "Null", "NULL"}
_BOOLS = {word: word.lower() == "true" for each in ("true", "false") for word in
          (each, each.capitalize(), each.upper())}  # fmt: skip
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*|(?=[eE])))([eE][-+]?[0-9]{1,3})?")
# Words of YAML 1.1, its numbers in base 60 or with a leading 0 or _, dates, infinities.
_AMBIGUOUS = re.compile(
    r"(?i)y|n|yes|no|on|off|[-+]?\.(inf|nan)|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|[-+]?[0-9][0-9_]*(\.[0-9_]*)?(e[-+]?[0-9]+)?|[-+]?0[bxo][0-9a-f_]+|=|\d{4}-\d\d?-\d\d?.*"
)


@dataclass(frozen=True)
class Document:
    """A compose file: where it is from, what it says, and on which line it says it."""

    origin: str
    data: Mapping[str, Any]
    lines: Mapping[Path, int]

    def place(self, path: Path) -> str:
        """Return the origin with the line of a path; of one that is not there, what it is in."""
        while path and path not in self.lines:
            path = path[:-1]
        line = self.lines.get(path)
        return f"{self.origin}, line {line}" if line else self.origin


class _Loader(yaml.SafeLoader):
    """Leaves it to us what a plain word means."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012  as its base has it


def parse(text: str, origin: str) -> Document:
    """Given the text of a compose file and where it is from, return it as a document.

    Raise ComposeError for what is not one mapping of plain YAML, each key once.
    """
    try:
        _check_events(text, origin)
        node = yaml.compose(text, Loader=_Loader)
        reader = _Reader(origin)
        data = reader.value(node, ()) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = f"is no valid YAML: {error.problem or error.context}"
        raise _error(origin, _line(mark), "", reason, "mend that line") from error
    except yaml.YAMLError as error:
        reason = f"is no valid YAML: {str(error).splitlines()[0]}"
        raise _error(origin, None, "", reason, "mend it") from error
    if not isinstance(data, dict):
        raise _error(origin, None, "", "is no mapping", "begin it with name: and services:")
    return Document(origin, data, reader.lines)


def _check_events(text: str, origin: str) -> None:
    documents = depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            reason = "is nested too deep"
            raise _error(origin, _line(event.start_mark), "", reason, "write it plainer")
        if documents > 1:
            reason = "holds a second document, which some readers skip"
            raise _error(origin, _line(event.start_mark), "", reason, "remove it and its ---")
        if tag := getattr(event, "tag", None):
            reason = "is a tag, which changes what the value is"
            raise _error(
                origin, _line(event.start_mark), shown(tag), reason, "write the plain value"
            )


class _Reader:
    """Makes values of nodes, and remembers their lines."""

    def __init__(self, origin: str):
        self.origin = origin
        self.lines: dict[Path, int] = {}
        self.count = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.count += 1
        if len(path) > _DEEPEST or self.count > _MOST_VALUES:
            reason = "is nested in itself, or holds too much"
            raise _error(
                self.origin, node.start_mark.line, "", reason, "write it plainer", path[:9]
            )
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*path, index)) for index, each in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode), "YAML has three kinds of nodes"
        return self.scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = self.key(key_node, path)
            if key in seen:
                reason = "is there twice, and the last one would win"
                raise _error(
                    self.origin, key_node.start_mark.line, shown(key), reason, "remove one", path
                )
            seen.add(key)
            if key == "<<" and key_node.style is None:
                merged = self.merged(value_node, path)
            else:
                self.lines[*path, key] = key_node.start_mark.line + 1
                own[key] = self.value(value_node, (*path, key))
        return merged | own

    def merged(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        """Return what `<<` takes from other mappings; of several the first wins."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, Any] = {}
        for part in parts:
            value = self.value(part, path)
            if not isinstance(value, dict):
                raise _error(
                    self.origin, part.start_mark.line, "", "merges no mapping", "name one", path
                )
            merged = value | merged
        return merged

    def key(self, node: yaml.Node, path: Path) -> str:
        key = self.scalar(node, path) if isinstance(node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            raise _error(
                self.origin,
                node.start_mark.line,
                shown(key),
                "is no text",
                "put the key in quotes",
                path,
            )
        return key

    def scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        word: str = node.value
        if node.style is not None:
            return word
        if word in _NULLS:
            return None
        if word in _BOOLS:
            return _BOOLS[word]
        if _INTEGER.fullmatch(word):
            return int(word, 0)
        if _FLOAT.fullmatch(word) and math.isfinite(float(word)):
            return float(word)
        if _AMBIGUOUS.fullmatch(word):
            raise _error(
                self.origin,
                node.start_mark.line,
                shown(word),
                "means different things to different readers of YAML",
                "put it in quotes",
                path,
            )
        return word


def _line(mark: Any) -> int | None:
    return mark.line if mark else None


def _error(
    origin: str, line: int | None, value: str, reason: str, cure: str, path: Path = ()
) -> ComposeError:
    place = origin if line is None else f"{origin}, line {line + 1}"
    return ComposeError([Problem(dotted(path) or "the file", value, reason, cure, place)])
