"""Settings: what the operator wrote in `group_data`, merged, checked as a whole, and typed.

Nothing here contacts a machine. Every problem of every host is collected, so that one run of
`clup check` shows all that has to be mended.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError


class Model(BaseModel):
    """The base of each role's settings: immutable, and no key passes unnoticed."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def relations(cls, parts: Mapping[str, Any]) -> list[Problem]:
        """Given the fields that are valid, by name, return what is wrong between them.

        The whole overrides this. A field that is not valid is left out: what it would have to do
        with the others cannot be said.
        """
        return []


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in the settings, and what to do about it."""

    path: str
    value: str
    reason: str
    cure: str
    origin: str = ""

    def __str__(self) -> str:
        where = f" ({self.origin})" if self.origin else ""
        value = f"{self.value} " if self.value else ""
        return f"At {self.path}{where}: {value}{self.reason}; {self.cure}"


class SettingsError(Exception):
    """The settings of one or more hosts are invalid. `problems` maps a host's name to its list."""

    def __init__(self, problems: Mapping[str, list[Problem]]):
        self.problems = dict(problems)
        super().__init__("\n".join(lines_of(self.problems)))


def fault(reason: str, cure: str, secret: bool = False) -> PydanticCustomError:
    """Given what is wrong with a value and the cure, return the error for a validator to raise.

    The value is shown beside the reason, unless it is `secret`.
    """
    # Braces would be read as a template by pydantic-core, hence the context.
    context = {"reason": reason, "cure": cure, "secret": secret}
    return PydanticCustomError("clup", "{reason}", context)


def faults(
    found: Iterable[tuple[tuple[str | int, ...], object, PydanticCustomError]],
) -> ValidationError:
    """Given places below a model, their values and faults, return the error that names them all.

    For a validator of the whole model, whose own faults would name the model alone.
    """
    errors = [InitErrorDetails(type=error, loc=at, input=value) for at, value, error in found]
    return ValidationError.from_exception_data("settings", errors)


def over(defaults: Mapping[str, Any]) -> BeforeValidator:
    """Return the validator of a mapping that is merged deeply over default entries.

    An entry that is None takes the default one of that name away.
    """

    def merged(given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {key: value for key, value in merge(defaults, given).items() if value is not None}

    return BeforeValidator(merged)


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Given layers from the most general to the most specific, return them merged deeply.

    A mapping is merged key by key, any other value (a list too) replaces the one before.
    The layers themselves stay as they are.
    """
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            before = merged.get(key)
            if isinstance(value, Mapping):
                merged[key] = merge(before if isinstance(before, Mapping) else {}, value)
            else:
                merged[key] = value
    return merged


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that the given one was probably meant to be, or None."""
    close = difflib.get_close_matches(str(word), sorted(known), n=1, cutoff=0.6)
    return close[0] if close else None


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Given pydantic's error for `model`, return its parts in the operator's words."""
    return [_problem(detail, model) for detail in error.errors(include_url=False)]


def lines_of(problems: Mapping[str, list[Problem]]) -> list[str]:
    """Return the problems of several hosts as lines; what all hosts share is said once."""
    holders: dict[Problem, list[str]] = {}
    for host, found in problems.items():
        for problem in found:
            holders.setdefault(problem, []).append(host)
    return [f"{', '.join(hosts)}: {problem}" for problem, hosts in holders.items()]


# What to do about the kinds of error that pydantic itself raises.
_CURES = {
    "missing": "add it",
    "bool": "write True or False",
    "int": "write a whole number",
    "float": "write a number",
    "string_pattern": "write it in the form that docs/settings.md gives",
    "string_too_short": "write more",
    "string_too_long": "write less",
    "string": "write a string in quotes",
    "date": "write a date such as '2027-12-31'",
    "list": "write a list: [...]",
    "tuple": "write a list: [...]",
    "dict": "write a mapping: {...}",
    "model": "write a mapping: {...}",
    "literal": "choose one of these",
    "enum": "choose one of these",
    "greater": "choose a larger one",
    "less": "choose a smaller one",
    "too": "change how many there are",
    "ip": "write an address such as 192.0.2.1",
    "path": "write an absolute path",
    "none": "leave it out or write None",
    "frozen": "write a list: [...]",
    "set": "write a list: [...]",
}


def _problem(detail: ErrorDetails, model: type[BaseModel]) -> Problem:
    path = ".".join(written(part) for part in detail["loc"]) or "settings"
    context = detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        known = _keys_at(model, detail["loc"][:-1])
        guess = nearest(str(detail["loc"][-1]), known)
        listed = ", ".join(sorted(known)) or "none"
        cure = f"did you mean {guess!r}?" if guess else f"known here: {listed}"
        return Problem(path, "", "is not a known setting", cure)
    if detail["type"] == "clup":
        is_told = detail["input"] is not None and not context["secret"]
        value = _shown(detail["input"]) if is_told else ""
        return Problem(path, value, context["reason"], context["cure"])
    if detail["type"] == "missing":
        return Problem(path, "", "is required", _CURES["missing"])
    reason = detail["msg"][:1].lower() + detail["msg"][1:]
    cure = next(
        (cure for kind, cure in _CURES.items() if detail["type"].startswith(kind)),
        "correct the value",
    )
    return Problem(path, _shown(detail["input"]), reason, cure)


def written(key: object) -> str:
    """Return a key of a mapping as a path shows it: on one line, whatever is in it."""
    text = str(key)
    return _brief(text if text and text.isprintable() else repr(text))


def _shown(value: object) -> str:
    if isinstance(value, (BaseModel, Mapping)):
        return ""
    try:
        return _brief(repr(value))
    except ValueError:
        return "a number with thousands of digits"


def _brief(text: str, limit: int = 80) -> str:
    if "PRIVATE KEY" in text:
        return "a private key"
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _keys_at(model: Any, location: tuple[int | str, ...]) -> set[str]:
    """Return the field names of the model at `location` below `model`; none if it is no model."""
    for part in location:
        step = None
        for candidate in _models_in(model):
            fields = candidate.model_fields
            if part in fields:
                step = fields[str(part)].annotation
        # A key of a mapping or an index of a list: the element's type is what comes next.
        model = step if step is not None else _element_of(model)
    return {name for found in _models_in(model) for name in found.model_fields}


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models_in(part)]


def _element_of(annotation: Any) -> Any:
    arguments = [part for part in get_args(annotation) if part is not Ellipsis]
    return arguments[-1] if arguments else None
