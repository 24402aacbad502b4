"""The whole way from a template to a compose file that may be uploaded."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clup.compose import file
from clup.compose.container import container
from clup.compose.document import Document, parse
from clup.compose.judge import Finding, judge, weigh
from clup.compose.problem import ComposeError
from clup.compose.render import render
from clup.compose.schema import violations
from clup.compose.service import NOTHING, Entrusted
from clup.compose.value import mapping, text
from clup.compose.waiver import Waiver


@dataclass(frozen=True)
class Stack:
    """A compose file that was judged: its project's name, its text, and what is waived in it."""

    name: str
    text: str
    document: Document
    waived: tuple[Finding, ...]


def stack(
    template: str,
    folders: Sequence[Path],
    values: Mapping[str, object],
    *,
    guards: Collection[str] = (),
    entrusted: Entrusted = NOTHING,
    waivers: Sequence[Waiver] = (),
    today: datetime.date,
    at: str = "waivers",
) -> Stack:
    """Given a template and its values, return the compose file that it makes.

    `guards` are the names of the containers that may hold Docker's socket, `entrusted` is what
    containers are entrusted with, `at` the setting at which the waivers stand. Raise ComposeError
    with all problems of the first step that has any: the template, the YAML, the schema, the
    invariants.
    """
    rendered = render(template, folders, values)
    document = parse(rendered, f"{template}, rendered")
    if found := violations(document):
        raise ComposeError(found)
    verdict = weigh(judge_file(document, guards, entrusted), waivers, today, at)
    if verdict.problems:
        raise ComposeError(verdict.problems)
    return Stack(str(document.data["name"]), rendered, document, verdict.waived)


def judge_file(
    document: Document, guards: Collection[str] = (), entrusted: Entrusted = NOTHING
) -> list[Finding]:
    """Given a compose file, return each place that breaks an invariant. It never raises."""
    return judge(file.services(document, guards, entrusted), document.place)


def judge_container(
    inspected: object,
    guards: Collection[str] = (),
    volumes: Mapping[str, object] | None = None,
    entrusted: Entrusted = NOTHING,
) -> list[Finding]:
    """Given what `docker inspect` prints of a container, return each place that breaks one.

    `volumes` is what `docker volume inspect` prints, by name. It never raises.
    """
    name = text(mapping(inspected).get("Name")).removeprefix("/")
    service = container(inspected, guards, volumes, entrusted)
    return judge([service], lambda _: f"container {name}")
