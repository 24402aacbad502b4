"""All stacks of a machine, whoever brought them up, a row each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from clup.facts.stacks import StacksState
from clup.stacks.change import change
from clup.stacks.judged import Judged

Whose = Literal["declared", "unmanaged", "somebody else's"]


@dataclass(frozen=True)
class Row:
    """A stack: its containers are how many run, and how many there are."""

    name: str
    whose: Whose
    containers: str
    state: str

    def __str__(self) -> str:
        return f"{self.name}: {self.whose}, {self.containers}, {self.state}"


def overview(stacks: Sequence[Judged], recorded: Iterable[str], machine: StacksState) -> list[Row]:
    """Given the stacks of the settings, the names of those that clup remembers, and what the
    machine has, return a row for each that is declared, remembered or there."""
    declared = {each.name: each for each in stacks}
    there = {each["project"] for each in machine.containers if each["project"]}
    rows = []
    for name in sorted({*declared, *recorded, *there}):
        whose: Whose = "somebody else's"
        state = "clup did not bring it up"
        if name in declared:
            needed = change(declared[name], machine)
            whose, state = "declared", f"differs: {needed.reasons[0]}" if needed else "in order"
        elif name in recorded:
            whose, state = "unmanaged", f"`clup stack remove {name}` takes it down"
        own = [each for each in machine.containers if each["project"] == name]
        running = sum(each["state"] == "running" for each in own)
        rows.append(Row(name, whose, f"{running} of {len(own)} running", state))
    return rows
