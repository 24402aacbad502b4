"""What `verify` says of the stacks of a role: as they were wanted, well, and within the rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from clup.checks import APPLY, Result, expect, read
from clup.facts.stacks import Stacks
from clup.stacks.change import change, question
from clup.stacks.judged import judged
from clup.stacks.live import unexpected
from clup.stacks.spec import Spec

if TYPE_CHECKING:
    from testinfra.host import Host


def checks(host: Host, role: str, specs: Sequence[Spec]) -> Iterator[Result]:
    """Compare stacks with what runs, and judge their containers by the invariants."""
    stacks = [judged(spec) for spec in specs]
    state = read(host, Stacks, question(stacks, whole=True))
    for stack in stacks:
        what = f"{role}: stack {stack.name}"
        needed = change(stack, state)
        reasons = list(needed.reasons) if needed else []
        yield expect(f"{what} runs as its settings say", [], reasons, APPLY)
        found = [str(finding) for finding in unexpected(stack, state)]
        cure = "see who started that container, then `clup apply`"
        yield expect(f"{what} breaks no invariant while it runs", [], found, cure)
        for finding in stack.waived:
            line = f"{what}: {finding.rule} is waived for {finding.service}"
            yield Result(line, "passed")
