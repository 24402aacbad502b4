"""What `verify` says of the stacks of a role: as they were wanted, well, and within the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from clup.checks import APPLY, Result, expect, read
from clup.facts.stacks import Stacks, StacksState
from clup.stacks.change import change, question
from clup.stacks.judged import Judged, judged
from clup.stacks.live import unexpected
from clup.stacks.others import others
from clup.stacks.spec import Spec

if TYPE_CHECKING:
    from testinfra.host import Host


def checks(host: Host, role: str, specs: Sequence[Spec], every: Sequence[str]) -> Iterator[Result]:
    """Compare a role's stacks with what runs, and judge their containers by the invariants.

    `every` has the names of all stacks of the machine. Where one of the role's has guards before
    Docker, containers of no stack are judged too: they may not pass them by.
    """
    stacks = [judged(spec) for spec in specs]
    beside = every if any(spec.guards for spec in specs) else None
    state = read(host, Stacks, question(stacks, whole=True, beside=beside))
    for stack in stacks:
        what = f"{role}: stack {stack.name}"
        needed = change(stack, state)
        reasons = list(needed.reasons) if needed else []
        yield expect(f"{what} runs as its settings say", [], reasons, APPLY)
        yield from private(role, stack, state)
        found = [str(finding) for finding in unexpected(stack, state)]
        cure = "see who started that container, then `clup apply`"
        yield expect(f"{what} breaks no invariant while it runs", [], found, cure)
        for finding in stack.waived:
            line = f"{what}: {finding.rule} is waived for {finding.service}"
            yield Result(line, "passed")
        if stack.spec.guards:
            yield from others(role, stack.spec, state)


def private(role: str, stack: Judged, state: StacksState) -> Iterator[Result]:
    """Given a stack and its machine, look for others in the networks that are its own: another
    stack's file, or anybody who may use Docker, can have a container join any."""
    for network, members in stack.spec.private.items():
        found = [each["name"] for each in state.containers if network in each["networks"]]
        what = f"{role}: {' and '.join(members)} alone are in the network {network}"
        cure = f"`docker network disconnect {network} NAME`, and see who had it join"
        yield expect(what, sorted(members), sorted(found), cure)
