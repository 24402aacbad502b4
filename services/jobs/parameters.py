"""The typed parameters of a job. A value becomes a text for the environment, or is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.jobs import names
from services.jobs.pattern import LONGEST, Pattern, PatternError, pattern
from services.jobs.problem import Path
from services.jobs.sheet import Sheet

MOST = 32
"""Parameters of a job."""

_WORD = re.compile(r"[ -~]{1,64}", re.ASCII)
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", re.ASCII)
_LINE = re.compile(r"[^\x00-\x1f\x7f\u2028\u2029]{1,400}")
_BOUND = 10**15


class UnfitError(ValueError):
    """A value that a parameter does not take; says why, and what it takes."""

    def __init__(self, reason: str, cure: str):
        super().__init__(f"{reason}; {cure}")
        self.reason = reason
        self.cure = cure


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    values: tuple[str, ...]

    def text(self, value: object) -> str:
        """Return a value as the job gets it. Raise UnfitError."""
        if isinstance(value, str) and value in self.values:
            return value
        raise UnfitError("is none of the possible", f"choose one of {', '.join(self.values)}")

    def schema(self) -> dict[str, Any]:
        """Return what it takes, as JSON Schema."""
        return {"type": "string", "enum": list(self.values)}


@dataclass(frozen=True)
class Integer:
    """A whole number within bounds."""

    minimum: int
    maximum: int

    def text(self, value: object) -> str:
        """Return a value as the job gets it. Raise UnfitError."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise UnfitError("is no whole number", f"give one of {self.minimum} to {self.maximum}")
        if not self.minimum <= value <= self.maximum:
            raise UnfitError("is out of bounds", f"give {self.minimum} to {self.maximum}")
        return str(value)

    def schema(self) -> dict[str, Any]:
        """Return what it takes, as JSON Schema."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True)
class Matching:
    """A text that a pattern describes as a whole."""

    pattern: Pattern

    def text(self, value: object) -> str:
        """Return a value as the job gets it. Raise UnfitError."""
        if isinstance(value, str) and self.pattern.matches(value):
            return value
        raise UnfitError("does not match", f"give a text like {self.pattern.text}")

    def schema(self) -> dict[str, Any]:
        """Return what it takes, as JSON Schema."""
        form = f"^(?:{self.pattern.text})$"
        return {"type": "string", "pattern": form, "maxLength": LONGEST}


@dataclass(frozen=True)
class Workspace:
    """A folder's name inside the parent that jobs see read-only as /repo."""

    def text(self, value: object) -> str:
        """Return the folder's path as the job sees it. Raise UnfitError."""
        if isinstance(value, str) and _FOLDER.fullmatch(value):
            return f"{names.REPOSITORIES}/{value}"
        raise UnfitError("is no folder's name", "give one name of letters, digits and ._-")

    def schema(self) -> dict[str, Any]:
        """Return what it takes, as JSON Schema."""
        return {"type": "string", "pattern": f"^(?:{_FOLDER.pattern})$"}


Kind = Choice | Integer | Matching | Workspace


@dataclass(frozen=True)
class Parameter:
    """What a parameter takes; without a default it must be given."""

    kind: Kind
    default: str | int | None = None
    description: str = ""

    @property
    def is_required(self) -> bool:
        """Whether a request must give it."""
        return self.default is None

    def schema(self) -> dict[str, Any]:
        """Return it as JSON Schema."""
        schema = self.kind.schema()
        if self.description:
            schema["description"] = self.description
        if self.default is not None:
            schema["default"] = self.default
        return schema


def read_parameters(sheet: Sheet, path: Path, value: object) -> dict[str, Parameter]:
    """Given what a job file says of parameters, return those that are well formed, by name."""
    found: dict[str, Parameter] = {}
    said = sheet.mapping(path, value)
    if len(said) > MOST:
        sheet.fault(path, said, f"has {len(said)} parameters", f"have at most {MOST}")
    for name, given in said.items():
        at = (*path, name)
        if not names.PARAMETER.fullmatch(name):
            cure = "name it with a-z, 0-9 and _, a letter first, at most 31"
            sheet.fault(at, name, "is no parameter's name", cure)
        elif parameter := _read_parameter(sheet, at, given):
            found[name] = parameter
    return found


_KEYS = {
    "enum": ("values",),
    "integer": ("minimum", "maximum"),
    "pattern": ("pattern",),
    "workspace": (),
}


def _read_parameter(sheet: Sheet, path: Path, value: object) -> Parameter | None:
    said = sheet.mapping(path, value)
    if not said and value != {}:
        return None
    kind_word = sheet.one_of((*path, "kind"), said.get("kind"), list(_KEYS))
    if kind_word is None:
        return None
    given = sheet.fields(path, said, ("kind", *_KEYS[kind_word]), ("default", "description"))
    kind = _read_kind(sheet, path, kind_word, given)
    description = ""
    if "description" in given:
        at = (*path, "description")
        description = sheet.text(at, given["description"], _LINE, "write one line") or ""
    if kind is None:
        return None
    default = given.get("default")
    if "default" in given:
        try:
            kind.text(default)
        except UnfitError as unfit:
            sheet.fault((*path, "default"), default, unfit.reason, unfit.cure)
            return None
    return Parameter(kind, default, description)


def _read_kind(sheet: Sheet, path: Path, word: str, given: Mapping[str, Any]) -> Kind | None:
    if word == "workspace":
        return Workspace()
    if not set(_KEYS[word]) <= given.keys():
        return None
    if word == "enum":
        return _read_choice(sheet, (*path, "values"), given["values"])
    if word == "integer":
        least = sheet.integer((*path, "minimum"), given["minimum"], -_BOUND, _BOUND)
        most = sheet.integer((*path, "maximum"), given["maximum"], -_BOUND, _BOUND)
        if least is None or most is None:
            return None
        if least > most:
            sheet.fault((*path, "maximum"), most, f"is less than minimum ({least})", "raise it")
            return None
        return Integer(least, most)
    return _read_pattern(sheet, (*path, "pattern"), given["pattern"])


def _read_choice(sheet: Sheet, path: Path, value: object) -> Choice | None:
    cure = "write 1 to 64 printable characters of ASCII"
    values = sheet.texts(path, value, _WORD, 64, cure)
    if values is None:
        return None
    if len(set(values)) < len(values):
        sheet.fault(path, value, "has a value twice", "remove one")
        return None
    return Choice(values)


def _read_pattern(sheet: Sheet, path: Path, value: object) -> Matching | None:
    if not isinstance(value, str):
        sheet.fault(path, value, "is no text", "put it in quotes")
        return None
    try:
        return Matching(pattern(value))
    except PatternError as error:
        sheet.fault(path, value, str(error), "see services/README.md for what a pattern may have")
        return None
