"""Whether a document is a compose file: judged by the schema of the compose specification.

`spec/compose-spec.json` is the copy that check-jsonschema vendors; a test compares the two. That
package itself would bring an HTTP client and a second YAML reader to every installation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from clup.compose.document import Document
from clup.compose.problem import dotted, shown
from clup.settings import Problem, nearest

SCHEMA = Path(__file__).with_name("spec") / "compose-spec.json"

_CLOSED = ("additionalProperties", "unevaluatedProperties")
_KINDS = {
    str: "a text", bool: "true or false", int: "a number", float: "a number",
    list: "a list", dict: "a mapping", type(None): "nothing",
}  # fmt: skip
_WORDS = {
    "string": "a text", "boolean": "true or false", "integer": "a whole number",
    "number": "a number", "array": "a list", "object": "a mapping", "null": "nothing",
}  # fmt: skip


def violations(document: Document) -> list[Problem]:
    """Given a document, return where it is not as the compose specification has it."""
    found = {_problem(each, document) for error in _errors(document) for each in error}
    if not document.data.get("services"):
        place = document.place(("services",))
        found.add(Problem("services", "", "is missing or empty", "name what is to run", place))
    return sorted(found)


def _errors(document: Document) -> Iterator[list[ValidationError]]:
    errors = list(_validator().iter_errors(document.data))
    # What lies below an error counts as not evaluated, so that every key beside it would be told.
    wrong = {_place(error)[:2] for error in errors if error.validator != "unevaluatedProperties"}
    for error in errors:
        if error.validator == "unevaluatedProperties" and _place(error)[:2] in wrong:
            continue
        yield [best_match(iter([error])) or error]


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def _problem(error: ValidationError, document: Document) -> Problem:
    path = _place(error)
    if error.validator in _CLOSED:
        known = _known(cast("Mapping[str, Any]", error.schema))
        given = cast("Mapping[str, Any]", error.instance)
        unknown = [key for key in given if key not in known and not key.startswith("x-")]
        if unknown:
            path = (*path, unknown[0])
            guess = nearest(unknown[0], known)
            cure = f"did you mean {guess!r}?" if guess else "remove it"
            reason = "is no key of the compose specification here"
            return Problem(dotted(path), "", reason, cure, document.place(path))
    reason, cure = _reason(error)
    return Problem(dotted(path) or "the file", "", reason, cure, document.place(path))


def _place(error: ValidationError) -> tuple[str | int, ...]:
    return tuple(error.absolute_path)


def _reason(error: ValidationError) -> tuple[str, str]:
    """Return what is wrong and the cure. The value itself is not told: it may be a secret."""
    wanted, given = cast("Any", error.validator_value), cast("Any", error.instance)
    if error.validator == "type":
        kinds = " or ".join(
            _WORDS[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted)
        )
        return f"is {_KINDS.get(type(given), 'something else')}", f"write {kinds}"
    if error.validator == "required":
        lacks = [key for key in wanted if key not in given]
        return f"has no {lacks[0]!r}", "add it"
    if error.validator == "enum":
        return "is none of what may stand there", f"write one of {', '.join(map(str, wanted))}"
    if error.validator == "uniqueItems":
        return "has something twice", "remove one"
    if error.validator in ("pattern", "minimum", "maximum", "format"):
        return "is not as the compose specification has it", f"{error.validator}: {shown(wanted)}"
    return "is in no form that the compose specification knows", "see its reference for that key"


def _known(schema: Mapping[str, Any]) -> set[str]:
    """Return the keys that a schema names, also through what it is composed of."""
    known = set(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        known |= _known(part)
    if "$ref" in schema:
        target: Any = _validator().schema
        for step in schema["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        known |= _known(target)
    return known
