"""From text to values: plain YAML, each key once, with line numbers.

Only `true` and `false` are booleans and only decimal numbers are numbers; any other plain word is
a text. So 0440, 1:30 and `yes` are never silently something else than what they look like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from services.jobs.problem import JobError, Path, Problem, dotted, shown

LARGEST = 64 * 1024
"""Bytes of a job file."""

_DEEPEST = 8

_WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
_FLOAT = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True)
class Document:
    """A job file: where it is from, what it says, and on which line it says it."""

    origin: str
    data: Mapping[str, Any]
    lines: Mapping[Path, int]

    def place(self, path: Path) -> str:
        """Return the origin with the line of a path; of one that is not there, what it is in."""
        while path and path not in self.lines:
            path = path[:-1]
        line = self.lines.get(path)
        return f"{self.origin}, line {line}" if line else self.origin


def parse(text: str, origin: str) -> Document:
    """Given the text of a job file and where it is from, return it as a document.

    Raise JobError for what is not one mapping of plain YAML: anchors, tags and a second document
    are refused.
    """
    lines: dict[Path, int] = {}
    try:
        _check_events(text, origin)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = _value(node, (), lines, origin) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = f"is no valid YAML: {error.problem or error.context}"
        raise _error(origin, mark, reason, "mend that line") from error
    except yaml.YAMLError as error:
        reason = f"is no valid YAML: {str(error).splitlines()[0]}"
        raise _error(origin, None, reason, "mend it") from error
    if not isinstance(data, dict):
        raise _error(origin, None, "is no mapping", "begin it with job: NAME")
    return Document(origin, data, lines)


def _check_events(text: str, origin: str) -> None:
    documents = depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        reason = ""
        if depth > _DEEPEST:
            reason = "is nested too deep"
        elif documents > 1:
            reason = "holds a second document"
        elif getattr(event, "anchor", None):
            reason = "has an anchor or an alias"
        elif getattr(event, "tag", None):
            reason = "has a tag, which changes what a value is"
        if reason:
            raise _error(origin, event.start_mark, reason, "write the plain value, once")


def _value(node: yaml.Node, path: Path, lines: dict[Path, int], origin: str) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, lines, origin)
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(each, (*path, index), lines, origin) for index, each in enumerate(node.value)
        ]
    assert isinstance(node, yaml.ScalarNode), "YAML has three kinds of nodes"
    return _scalar(node)


def _mapping(
    node: yaml.MappingNode, path: Path, lines: dict[Path, int], origin: str
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = _scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
        if not isinstance(key, str):
            reason = f"has the key {shown(key)}, which is no text"
            raise _error(origin, key_node.start_mark, reason, "put the key in quotes", path)
        if key in values:
            reason = f"has the key {shown(key)} twice"
            raise _error(origin, key_node.start_mark, reason, "remove one", path)
        lines[*path, key] = key_node.start_mark.line + 1
        values[key] = _value(value_node, (*path, key), lines, origin)
    return values


def _scalar(node: yaml.ScalarNode) -> Any:
    word: str = node.value
    if node.style is not None:
        return word
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(word):
        return int(word)
    return float(word) if _FLOAT.fullmatch(word) else word


def _error(origin: str, mark: Any, reason: str, cure: str, path: Path = ()) -> JobError:
    place = origin if mark is None else f"{origin}, line {mark.line + 1}"
    return JobError([Problem(dotted(path), "", reason, cure, place)])
