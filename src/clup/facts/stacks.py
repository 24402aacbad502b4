"""What a machine has of the stacks that are asked about, in one command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.operations.programs import reading


@dataclass(frozen=True)
class StackState:
    """One stack, as `clup.machine.stack_reading` tells it.

    `record` is what was written down when it was last well, with its `parts` (what it depends on,
    by digest) and `services` (Compose's hashes of what runs); None if it never was. `pending` is
    whether a change of it was begun and not ended.
    """

    record: Mapping[str, Any] | None = None
    pending: bool = False
    files: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    secrets: Mapping[str, str | None] = field(default_factory=dict)
    images: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True)
class StacksState:
    """A machine's stacks. `uncommitted` is None where the desired-state folder is no repository.

    `inspected` and `volumes` (by name) are in Docker's words, and there only if asked for; `others`
    too, of which no more is known than `clup.machine.stack_reading.of_host` tells. `strays` are the
    ids of what containerd runs for Docker, and Docker does not know.
    """

    docker: bool = False
    containers: tuple[Mapping[str, Any], ...] = ()
    uncommitted: tuple[str, ...] | None = None
    stacks: Mapping[str, StackState] = field(default_factory=dict)
    inspected: tuple[Mapping[str, Any], ...] = ()
    volumes: Mapping[str, Any] = field(default_factory=dict)
    others: tuple[Mapping[str, Any], ...] = ()
    strays: tuple[str, ...] = ()


class Stacks(FactBase[StacksState]):
    """Given a question (see `clup.stacks.change.question`) as JSON, return the stacks' state."""

    def command(self, question: str) -> StringCommand:
        return reading("stack_reading", question)

    def process(self, output: list[str]) -> StacksState:
        said = json.loads(output[-1])
        if said is None:
            return StacksState()
        return StacksState(
            docker=said["docker"],
            containers=tuple(said["containers"]),
            uncommitted=None if said["uncommitted"] is None else tuple(said["uncommitted"]),
            stacks={name: StackState(**each) for name, each in said["stacks"].items()},
            inspected=tuple(said.get("inspected", ())),
            volumes=said.get("volumes", {}),
            others=tuple(said.get("others", ())),
            strays=tuple(said.get("strays", ())),
        )


class History(FactBase[list[str]]):
    """Given the desired-state folder, return what its history holds and should not, a line each."""

    default = list

    def command(self, tree: str) -> StringCommand:
        shared = ("clup/compose/secret.py", "services/jobs/secret.py")
        return reading("history", tree, shared=shared)

    def process(self, output: list[str]) -> list[str]:
        return list(json.loads(output[-1]) or [])
