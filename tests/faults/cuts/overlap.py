"""Which commands that change something ran on a machine when, by what its sudo wrote down.

Each ssh connection is a login session, so that the commands of one run are those of one session.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clup import lab
from clup.transport import guard
from tests.lab.command import on_machine

LOG = "journalctl -q _COMM=sudo -o json --no-pager"


@dataclass(frozen=True)
class Ran:
    """A command of a run's, with the times in microseconds at which it began and ended."""

    session: tuple[str, str]
    began: int
    ended: int
    """As it began, where its end was not written down."""


def ran(box: lab.Lab) -> list[Ran]:
    """Return the commands that changed something on a lab machine, in their order."""
    commands = sorted(_ran(on_machine(box, LOG).splitlines()), key=lambda each: each.began)
    assert sum(each.ended == each.began for each in commands) <= len(commands) / 20
    return commands


def _ran(lines: Sequence[str]) -> Iterator[Ran]:
    running: dict[tuple[str, str], Ran] = {}
    for entry in map(json.loads, lines):
        message, now = entry["MESSAGE"], int(entry["__REALTIME_TIMESTAMP"])
        process = entry["_BOOT_ID"], entry["_PID"]
        if "COMMAND=" in message and f"--close {guard.RUNNING}" in message:
            running[process] = Ran((entry["_BOOT_ID"], entry["_SYSTEMD_SESSION"]), now, now)
        elif "session closed" in message and process in running:
            began = running.pop(process)
            yield Ran(began.session, began.began, now)
    # The end of one or another is lost, such as that of apt's while it installs what runs units.
    yield from running.values()


def runs(commands: Sequence[Ran]) -> int:
    """Return of how many runs these commands are."""
    return len({command.session for command in commands})


def overlapping(commands: Sequence[Ran]) -> list[tuple[Ran, Ran]]:
    """Given commands in the order in which they began, return the pairs of two runs that overlap.

    None begins before all that began before it have ended, but those of its own run.
    """
    return [
        (first, second)
        for number, first in enumerate(commands)
        for second in commands[number + 1 :]
        if second.began < first.ended and second.session != first.session
    ]
