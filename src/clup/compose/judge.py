"""Judges services by the catalogue, and sets aside what a waiver allows for a time."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from clup.compose.catalogue import CATALOGUE
from clup.compose.problem import Path, dotted
from clup.compose.rule import Rule
from clup.compose.service import Service
from clup.compose.waiver import Waiver
from clup.settings import Problem, nearest


@dataclass(frozen=True, order=True)
class Finding:
    """One place where a service breaks a rule. `origin` is a file and line, or a container."""

    rule: str
    service: str
    path: str
    value: str
    reason: str
    cure: str
    origin: str

    @property
    def problem(self) -> Problem:
        """The finding as `check` and `apply` show it."""
        reason = f"{self.reason} (rule {self.rule})"
        return Problem(self.path, self.value, reason, self.cure, self.origin)

    def __str__(self) -> str:
        return str(self.problem)


@dataclass(frozen=True)
class Verdict:
    """What is wrong, with the services and with the waivers, and which findings are waived."""

    problems: tuple[Problem, ...]
    waived: tuple[Finding, ...]


def judge(
    services: Iterable[Service],
    place: Callable[[Path], str],
    catalogue: Sequence[Rule] = CATALOGUE,
) -> list[Finding]:
    """Given services, and what tells where a path stands, return each place that breaks a rule."""
    return sorted(
        {
            Finding(
                rule.id,
                service.name,
                dotted(fault.path),
                fault.value,
                fault.reason,
                fault.cure,
                place(fault.path),
            )
            for service in services
            for rule in catalogue
            if service.kind in rule.kinds
            for fault in rule.check(service)
        }
    )


def weigh(
    findings: Sequence[Finding],
    waivers: Sequence[Waiver],
    today: datetime.date,
    at: str = "waivers",
) -> Verdict:
    """Given a stack's findings, and its waivers with the setting at which they stand, decide.

    A waiver that has expired, names no rule or sets nothing aside is a problem itself.
    """
    known = {rule.id for rule in CATALOGUE}
    problems: list[Problem] = []
    waived: set[Finding] = set()
    for index, waiver in enumerate(waivers):
        path = f"{at}.{index}"
        held = {finding for finding in findings if waiver.allows(finding.rule, finding.service,
                                                                 finding.value)}  # fmt: skip
        if waiver.rule not in known:
            guess = nearest(waiver.rule, known)
            cure = f"did you mean {guess!r}?" if guess else "docs/invariants.md lists the rules"
            problems.append(Problem(f"{path}.rule", repr(waiver.rule), "is no rule", cure))
        elif not waiver.holds(today):
            cure = f"mend what it allowed, or have {waiver.owner} decide again"
            reason = "is over: the waiver no longer holds"
            problems.append(Problem(f"{path}.expires", f"{waiver.expires}", reason, cure))
        elif not held:
            value = f"{waiver.rule} for {waiver.service}"
            problems.append(Problem(path, value, "sets nothing aside", "remove it"))
        else:
            waived |= held
    problems += [finding.problem for finding in findings if finding not in waived]
    return Verdict(tuple(sorted(set(problems))), tuple(sorted(waived)))
