"""Compose stacks: brought up when what they depend on changed, seen healthy, put back if not."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.compose.problem import ComposeError
from clup.facts.paths import Text
from clup.facts.stacks import Stacks, StackState
from clup.machine.stack_others import cure, described, in_the_way
from clup.operations.programs import program
from clup.operations.steps import Steps, ensure, refuse
from clup.run import by_whom
from clup.stacks.change import Change, change, is_file, question
from clup.stacks.judged import Judged, judged
from clup.stacks.live import unexpected
from clup.stacks.spec import TREE, Spec

MARGIN_S = 600
"""Seconds beyond a stack's own, twice: Docker's commands have deadlines of their own."""


@operation()
def running(stack: Spec, among: Sequence[Spec] = ()) -> Steps:
    """Converge a stack: its files in the desired-state folder, its services well.

    `among` are all the stacks that a series of these operations is about: their state is then read
    in the same one command.
    """
    try:
        wanted = judged(stack)
        asked = question([judged(each) for each in among or (stack,)])
    except ComposeError as error:
        yield refuse(f"stack {stack.name}", str(error.problems[0]), "see `clup check`")
        return
    state = host.get_fact(Stacks, question=asked)
    needed = change(wanted, state)
    if needed is None:
        return
    found = state.stacks.get(wanted.name, StackState())
    ports = {port for each in wanted.services for port in each.ports}
    others = in_the_way(state.containers, wanted.name, wanted.names, ports)
    if others and not (stack.takeover and found.record is None):
        setting = stack.takeover_setting if found.record is None else ""
        whose = "; ".join(map(described, others))
        yield refuse(f"stack {stack.name}", whose, cure(others[0], setting))
        return
    for line in needed.reasons:
        report.evidence(line)
    for each in others:
        report.evidence(
            f"{described(each)}; it goes on until this is well, and is kept, stopped, as"
            f" {each['name']}.bak.<time>"
        )
    _show(wanted, found)
    order = json.dumps(order_of(wanted, needed))
    yield program("stack", "up", given=order, timeout=2 * stack.seconds + MARGIN_S)
    yield ensure(f"stack {stack.name}", lambda: _wrong(wanted))


def order_of(stack: Judged, needed: Change) -> dict[str, object]:
    """Given a stack and what is to be done, return the order for `clup.machine.stack`."""
    return {
        "name": stack.name,
        "tree": TREE,
        "compose": stack.files[0].tree,
        "files": [
            {
                "live": file.live,
                "tree": file.tree,
                "content": file.content,
                "mode": file.mode,
                "placed": file.placed,
            }
            for file in stack.files
        ],
        "secrets": stack.spec.secrets,
        "images": stack.images,
        "names": stack.names,
        "ports": {each.name: each.ports for each in stack.services},
        "portless": stack.portless,
        "takeover": bool(stack.spec.takeover),
        "takeover_setting": stack.spec.takeover_setting,
        "expected": {each.name: each.kind for each in stack.services},
        "up": needed.up,
        "recreate": needed.anew,
        "seconds": stack.spec.seconds,
        **by_whom(),
    }


def _show(stack: Judged, found: StackState) -> None:
    for file in stack.files:
        if not is_file(file, found, file.tree):
            before = host.get_fact(Text, path=file.tree) if found.files.get(file.tree) else None
            report.diff(file.tree, before, file.content)


def _wrong(stack: Judged) -> str | None:
    state = host.get_fact(Stacks, question=question([stack], whole=True))
    again = change(stack, state)
    wrong = [*(again.reasons if again else ()), *map(str, unexpected(stack, state))]
    return "; ".join(wrong) or None
