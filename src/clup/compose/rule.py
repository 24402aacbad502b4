"""What a rule is: a function that decides about one service, with what the documentation says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from clup.compose.problem import Path
from clup.compose.service import Kind, Service


@dataclass(frozen=True)
class Fault:
    """One place that breaks a rule. `value` is as messages show it, and never a secret."""

    path: Path
    value: str
    reason: str
    cure: str


Check = Callable[[Service], Iterator[Fault]]


@dataclass(frozen=True)
class Rule:
    """One invariant.

    `title` says what holds, `reason` why, `source` who demands it, `kinds` for which class of
    container.
    """

    id: str
    title: str
    reason: str
    source: str
    check: Check
    kinds: tuple[Kind, ...] = ("service", "job")
