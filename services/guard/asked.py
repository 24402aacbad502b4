"""What is read of a request to create a container: four labels, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from services.guard.refusal import Refusal
from services.jobs import names

LARGEST = 64 * 1024
"""Bytes of the body."""

_LABELS = (names.LABEL_JOB, names.LABEL_ID, names.LABEL_PARAMETERS, names.LABEL_HEAD)


@dataclass(frozen=True)
class Asked:
    """A job by name, the id of this run, its parameters, and the head of the audit chain."""

    job: str
    id: str
    parameters: Mapping[str, object]
    head: str


def asked(body: bytes, job_id: str) -> Asked:
    """Given the body of a request, and the id in its query, return what it asks for.

    Raise Refusal for anything that is not exactly {"Labels": {the four labels}}.
    """
    data = _object(_text(body), "the body")
    if data.keys() != {"Labels"}:
        _refuse("the body has other keys than Labels")
    labels = data["Labels"]
    if not isinstance(labels, dict) or labels.keys() != set(_LABELS):
        _refuse("Labels is not a mapping of the four labels")
    if not all(isinstance(value, str) for value in labels.values()):
        _refuse("a label is no text")
    if labels[names.LABEL_ID] != job_id:
        _refuse(f"{names.LABEL_ID} is not the name in the query")
    if not names.HEAD.fullmatch(labels[names.LABEL_HEAD]):
        _refuse(f"{names.LABEL_HEAD} is not 64 hexadecimal digits")
    parameters = _object(labels[names.LABEL_PARAMETERS], names.LABEL_PARAMETERS)
    return Asked(labels[names.LABEL_JOB], job_id, parameters, labels[names.LABEL_HEAD])


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("the body is not UTF-8")


def _object(text: str, what: str) -> dict[str, Any]:
    try:
        data = json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        _refuse(f"{what} is no JSON, or has a key twice")
    if not isinstance(data, dict):
        _refuse(f"{what} is no JSON object")
    return data


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        raise ValueError("a key is there twice")
    return data


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _refuse(reason: str) -> NoReturn:
    labels = ", ".join(_LABELS)
    raise Refusal(400, "body", f'{reason}; send {{"Labels": {{...}}}} with exactly {labels}')
