"""What a run tells: how each operation stands or ended, and pyinfra's own error lines by host."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import Literal

from pyinfra.api.host import Host
from pyinfra.api.state import BaseStateCallback, State

from clup import report

Status = Literal["unchanged", "would change", "changed", "refused", "failed", "not reached"]


@dataclass
class Operation:
    """One operation on one host, as planned or as it ended."""

    role: str
    name: str
    status: Status
    evidence: list[str] = field(default_factory=list)
    diffs: list[str] = field(default_factory=list)
    error: str = ""
    """A line for each thing that is wrong; none where an earlier operation has told it."""

    def __str__(self) -> str:
        return f"{self.role}: {self.name}"


class Listener:
    """Is told what happens while operations are executed. This one does nothing with it."""

    def started(self, host: Host, operation: str) -> None:
        """An operation, as "role: name", begins on a host."""

    def said(self, line: str) -> None:
        """A command of an operation wrote a line."""

    def ended(self, host: Host, operation: Operation) -> None:
        """An operation ended on a host."""


def names(state: State, key: str) -> tuple[str, str]:
    """Given an operation's hash, return its role and its name within that role."""
    role, _, name = ", ".join(sorted(state.get_op_meta(key).names)).partition(" | ")
    return (role, name) if name else ("", role)


def ended(state: State, host: Host, key: str) -> Operation:
    """Return how an operation ended on a host, with what it said when it failed."""
    meta = state.ops[host][key].operation_meta
    role, name = names(state, key)
    said = report.notes(host, key)
    if not meta.is_complete():
        return Operation(role, name, "not reached")
    if meta.did_succeed():
        status: Status = "changed" if meta.did_change() else "unchanged"
        return Operation(role, name, status, said.evidence, said.diffs)
    if said.refusals:
        return Operation(role, name, "failed", error="\n".join(said.refusals))
    stderr = [line.strip() for line in meta.stderr_lines if line.strip()]
    return Operation(role, name, "failed", error=" | ".join(stderr[-5:]) or "the command failed")


class Events(BaseStateCallback):
    """Tells a listener of each operation, of its end as soon as pyinfra has moved on from it."""

    def __init__(self, listener: Listener):
        self._listener = listener

    def operation_host_start(self, state: State, host: Host, op_hash: str) -> None:  # type: ignore[override]
        report.forget(host, op_hash)
        self._listener.started(host, ": ".join(names(state, op_hash)))

    def operation_end(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        for host in state.inventory:
            if op_hash in state.ops[host]:
                self._listener.ended(host, ended(state, host, op_hash))


class Log(logging.Handler):
    """Keeps pyinfra's error lines by host instead of printing them.

    Of a fact that could not be read, its last line: there pyinfra tells all that the machine said,
    and then the fact's arguments.
    """

    def __init__(self, errors: dict[str, list[str]]):
        super().__init__(logging.ERROR)
        self._errors = errors
        self._told: dict[str, int] = {}
        self._logger = logging.getLogger("pyinfra")
        self._logger.addHandler(self)
        self._logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        host, line = re.match(r"(?:\[([^\]]+)\]\s*)?(.*)", record.getMessage(), re.S).groups()  # type: ignore[union-attr]
        lines = self._errors.setdefault(host or "", [])
        fact = re.match(r"Error: could not load fact: (\S+)", line)
        if fact is None:
            lines.append(line.strip())
            return
        told = self._told.get(host, 0)
        lines[told:] = [f"cannot read {fact[1]}: {(lines[told:] or ['no answer'])[-1]}"]
        self._told[host] = len(lines)

    def close(self) -> None:
        # What an interrupted greenlet still says would be printed if nothing took it.
        self._logger.addHandler(logging.NullHandler())
        self._logger.removeHandler(self)
        super().close()
