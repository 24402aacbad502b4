"""Operations evaluated against given facts, without a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyinfra.api.command import FunctionCommand, StringCommand
from pyinfra.context import ctx_host

from clup import report


class Machine:
    """What an operation sees of a host: facts by their class, and a place for its notes."""

    name = "box"
    current_op_hash = "operation"

    def __init__(self, facts: Mapping[Any, Any]):
        self.facts = facts
        self.inventory = self

    def get_host(self, _name: str) -> Machine:
        """Return the host behind pyinfra's proxy, as an inventory does."""
        return self

    def get_fact(self, fact: type, **_arguments: Any) -> Any:
        """Return the given value of a fact, whatever it is asked about."""
        return self.facts[fact]

    def log_styled(self, line: str, **_style: Any) -> None:
        """Take a line for the operator, which is among the notes, too."""


def evaluate(
    operation: Any, facts: Mapping[Any, Any], **arguments: Any
) -> tuple[list[str], report.Notes]:
    """Given an operation, facts by their class, and its arguments, return its steps and notes.

    A step is the command as sh would see it; a check or a refusal is "check".
    """
    machine = Machine(facts)
    with ctx_host.use(machine):
        steps = [_shown(step) for step in operation._inner(**arguments)]
        return steps, report.notes(machine, machine.current_op_hash)  # type: ignore[arg-type]


def _shown(step: StringCommand | FunctionCommand) -> str:
    return "check" if isinstance(step, FunctionCommand) else step.get_raw_value()
