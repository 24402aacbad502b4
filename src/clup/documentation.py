"""Settings and commands as Markdown: what they say of themselves, in the order they are declared.

Nothing is written here that a model or a command does not know, so the pages cannot drift.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from pprint import pformat
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

WIDTH = 92
"""Characters in a line of a command's help."""

_LIMITS = {
    "interval": "{0[0]} to {0[1]}",
    "gt": "more than {}",
    "ge": "{} or more",
    "lt": "less than {}",
    "le": "{} or less",
    "min_length": "at least {} long",
    "max_length": "at most {} long",
    "multiple_of": "a multiple of {}",
    "pattern": "`{}`",
}
_WORDS = {
    bool: "`True` or `False`",
    int: "whole number",
    float: "number",
    str: "text",
    datetime.date: "date, such as `'2027-01-31'`",
    Any: "anything",
}
_LONG = 44
"""Characters beyond which a default has a place of its own below the table."""


def model_page(path: str, model: type[BaseModel], level: int) -> Iterator[str]:
    """Given a model and the path at which it stands, yield its section's lines, then those below.

    `level` is the level of the section's heading.
    """
    yield from ["#" * level + f" {path}", "", _line(model.__doc__), ""]
    yield from ["| setting | what it is | value | default |", "|---|---|---|---|"]
    below: list[tuple[str, type[BaseModel]]] = []
    long: list[tuple[str, object]] = []
    for name, field in model.model_fields.items():
        at = f"{path}.{name}"
        inner = [*_models(at, field.annotation)]
        what = _line(field.description) or _line(inner[0][1].__doc__ if inner else "")
        value = _value(at, Annotated[field.annotation, field])
        default = _default(field)
        if default is None:
            long.append((at, field.default))
            default = "see below"
        cells = (f"`{name}`", what, value, default)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
        below += inner
    yield ""
    for at, given in long:
        shown = pformat(given, width=WIDTH)
        yield from [f"By default `{at}` is", "", "```python", shown, "```", ""]
    for at, inner_model in below:
        yield from model_page(at, inner_model, level + 1)


def command_page(
    name: str, command: click.Command, above: click.Context | None = None, level: int = 2
) -> Iterator[str]:
    """Given a command by its name, yield its section's lines, then those of its own commands.

    `above` is the context of the group that it belongs to, `level` the level of its heading.
    """
    context = click.Context(
        command, above, info_name=name, terminal_width=WIDTH, **command.context_settings
    )
    heading = f"{'#' * level} {context.command_path}"
    yield from [heading, "", "```", command.get_help(context), "```", ""]
    if isinstance(command, click.Group):
        for word in command.list_commands(context):
            below = command.get_command(context, word)
            assert below is not None, f"{word} is listed and not there"
            yield from command_page(word, below, context, level + 1)


def anchor(heading: str) -> str:
    """Given a heading, return the link to it within its page."""
    return "#" + re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-")


def _line(text: str | None) -> str:
    return " ".join((text or "").split())


def _default(field: FieldInfo) -> str | None:
    """Return how a field's default is written in group_data; None when that takes more room.

    One that another validator fills in says in `json_schema_extra` with what, as "left_out".
    """
    if isinstance(field.json_schema_extra, dict) and "left_out" in field.json_schema_extra:
        return str(field.json_schema_extra["left_out"])
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "see there"
    text = repr(list(value) if isinstance(value, tuple) else value)
    return f"`{text}`" if len(text) <= _LONG else None


def _models(at: str, kind: Any) -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the models that a kind of value is made of, with the paths at which they stand."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield at, kind
    elif get_origin(kind) is dict:
        yield from _models(f"{at}.NAME", get_args(kind)[1])
    elif get_origin(kind) is not Literal:
        for part in get_args(kind):
            yield from _models(at, part)


def _value(at: str, kind: Any) -> str:
    """Return what may be written for a kind of value, in words."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _limited(_value(at, parts[0]), parts[1:])
    if origin is Literal:
        return " or ".join(f"`{part!r}`" for part in parts)
    if origin in (Union, UnionType):
        words = [_value(at, part) for part in parts if part is not NoneType]
        return " or ".join(words + ["`None`"] * (NoneType in parts))
    if origin in (tuple, list, frozenset):
        return f"list; each: {_value(at, parts[0])}"
    if origin is dict:
        name, inner = _value(at, parts[0]), _value(f"{at}.NAME", parts[1])
        return f"mapping of {name} to {inner}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"[{at}]({anchor(at)})"
    return _WORDS[kind]


def _limited(words: str, metadata: tuple[Any, ...]) -> str:
    """Return the words for a value with what its declaration says besides its type."""
    limits: dict[str, Any] = {}
    examples: list[str] = []
    for each in metadata:
        if isinstance(each, FieldInfo):
            words = _limited(each.title or words, tuple(each.metadata))
            if each.examples:
                shown = " or ".join(f"`{example!r}`" for example in each.examples)
                examples.append(f"such as {shown}")
        else:
            limits |= {
                name: getattr(each, name)
                for name in _LIMITS
                if getattr(each, name, None) is not None
            }
    if {"ge", "le"} <= limits.keys():
        limits["interval"] = limits.pop("ge"), limits.pop("le")
    said = [_LIMITS[name].format(limits[name]) for name in _LIMITS if name in limits]
    return ", ".join([words, *said, *examples])
