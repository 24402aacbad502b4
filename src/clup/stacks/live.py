"""The containers of a stack as Docker has them, judged by the same rules as its file."""

from __future__ import annotations

import datetime

from clup.compose.judge import Finding
from clup.compose.stack import judge_container
from clup.compose.value import mapping
from clup.facts.stacks import StacksState
from clup.stacks.judged import Judged


def unexpected(stack: Judged, state: StacksState) -> list[Finding]:
    """Given a stack and the whole state of its machine, return each place of its containers that
    breaks an invariant and is not waived."""
    today = datetime.date.today()
    return [
        finding
        for inspected in state.inspected
        if _project(inspected) == stack.name
        for finding in judge_container(
            inspected, stack.spec.guards, state.volumes, stack.spec.entrusted
        )
        if not any(
            waiver.holds(today) and waiver.allows(finding.rule, finding.service, finding.value)
            for waiver in stack.spec.waivers
        )
    ]


def _project(inspected: object) -> str:
    labels = mapping(mapping(mapping(inspected).get("Config")).get("Labels"))
    return str(labels.get("com.docker.compose.project", ""))
