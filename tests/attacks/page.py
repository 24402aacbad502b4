"""Writes docs/attacks.md from the cases: python -m tests.attacks.page"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.attacks import stand, tecnativa
from tests.attacks.caught import (
    CAUGHT_BY,
    GUARDS_CAUGHT_THROUGH_THE_RUNNER,
    RUNNERS_CAUGHT_BY,
)
from tests.attacks.tamperings import TAMPERINGS, Tampering

PAGE = Path(__file__).resolve().parents[2] / "docs/attacks.md"

_HEAD = """\
<!-- Made by `.venv/bin/python -m tests.attacks.page`. Do not edit. -->

# Attacks on guard and runner

What is tried against guard and runner on lab machines with a real Docker, from {positions}
positions, {number} attacks in all: `./clup test attacks`. Whether one has succeeded is read from
the host: containers, images, networks and Docker's own events, canaries (a file of the host, a
secret of another container, what another caller's job left, the guard's key, other callers' tokens)
in what the attacker got, what the runner keeps on its disk, and where it says so a state that a
script looks at. That guard and runner say they refused does not count; of an attack that wants to
be told something it has no right to, what it holds of that in the end does. The cases are data:
`tests/attacks/cases`.

Beside the attacks of a hostile runner stands whether at least one of its requests would be handed
on to Docker by `tecnativa/docker-socket-proxy`, as the first setup had it (`CONTAINERS=1`,
`IMAGES=1`), and with `POST=1`, without which no job can be run through it. That is a **model** of
its documented rules, version 0.4.1 (`tests/attacks/tecnativa.py`); the proxy was not run.
"""
_WEAKER = """
## Weaker guards

Each is the guard with one thing left out (`tests/attacks/weakened.py`), with one attack that must
catch it. The last ones are caught through the runner.

| guard | how it is weaker | caught by |
|---|---|---|
"""
_WEAKER_RUNNERS = """
## Weaker runners

Each is the runner with one thing left out (`tests/attacks/weakened_runner.py`), with one attack
that must catch it.

| runner | how it is weaker | caught by |
|---|---|---|
"""
_TAMPERINGS = """
## Tampering with the record

What is done to the exported audit chain and to the guard's ledger of its heads, and what
`clup audit verify` says (`tests/attacks/tamperings.py`). It fails on each. Those with a star are
also tried on a lab machine, with the command itself.

| what is done | what is said of it |
|---|---|
"""


def page() -> str:
    """Return the page."""
    number = len(stand.every_case())
    positions = {5: "five", 6: "six", 7: "seven"}[len(stand.POSITIONS)]
    guards = [*CAUGHT_BY.items(), *GUARDS_CAUGHT_THROUGH_THE_RUNNER.items()]
    return "".join(
        [
            _HEAD.format(positions=positions, number=number),
            *_sections(),
            _WEAKER,
            *_weaker("weakened.py", guards),
            _WEAKER_RUNNERS,
            *_weaker("weakened_runner.py", RUNNERS_CAUGHT_BY.items()),
            _TAMPERINGS,
            *(_tampering(each) for each in TAMPERINGS),
        ]
    )


def _sections() -> Iterator[str]:
    for position in stand.POSITIONS:
        cases = stand.cases(position)
        title = cases[0]["position"]
        yield f"\n## {title[0].upper()}{title[1:]} ({len(cases)})\n\n"
        if title != "hostile runner":
            yield "".join(f"- {case['name']}\n" for case in cases)
            continue
        yield "| attack | model of tecnativa | with POST=1 |\n|---|---|---|\n"
        for case in cases:
            words = (_word(case, switches) for switches in (tecnativa.SEED, tecnativa.JOBS))
            yield f"| {case['name']} | {' | '.join(words)} |\n"


def _word(case: dict[str, Any], switches: frozenset[str]) -> str:
    found = [tecnativa.hands_on(*line.split()[:2], switches=switches) for line in _lines(case)]
    return ("handed on" if any(found) else "no") if found else "-"


def _lines(case: dict[str, Any]) -> Iterator[str]:
    """Yield the first lines of a case's requests."""
    for step in case["steps"]:
        for kind, said in step.items():
            if kind in ("request", "raw", "crlf"):
                yield said.splitlines()[0]


def _tampering(each: Tampering) -> str:
    said = each.finding.strip(": ")
    return f"| {each.name}{'*' if each.on_machine else ''} | {said} |\n"


def _weaker(program: str, caught: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a row for each weaker part that a program has, with the attack that catches it."""
    source = (Path(__file__).parent / program).read_text(encoding="utf-8")
    says = {
        node.name: ast.get_docstring(node) or ""
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef)
    }
    for name, attack in caught:
        yield f"| {name.replace('_', ' ')} | {says[name]} | {attack} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
