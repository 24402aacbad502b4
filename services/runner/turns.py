"""Whose job is next, and who must wait: decided from numbers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RETRY_SECONDS = 5
"""What a caller is told to wait before it asks again."""

HOURLY = 3600
"""How many jobs of a caller are accepted within an hour. One that is cancelled at once is neither
in the queue nor runs, and yet is kept for ever, with its audit lines."""


@dataclass(frozen=True)
class Waiting:
    """A job in the queue."""

    id: str
    caller: str


def choose(
    queue: Sequence[Waiting],
    running: Mapping[str, int],
    limits: Mapping[str, int],
    parallel: int,
    turns: Mapping[str, int],
) -> Waiting | None:
    """Given the queue with its oldest first, how many jobs of each caller run, how many may, how
    many may of all, and a number of each caller that is larger the later its last turn was, return
    the job to begin; None when none may.

    The caller with the fewest running jobs comes first, and among equals the one whose last turn is
    longest ago, so that nobody's long queue is another's wait, also where fewer jobs may run than
    there are callers; then the oldest job.
    """
    if sum(running.values()) >= parallel:
        return None
    free = [each for each in queue if running.get(each.caller, 0) < limits.get(each.caller, 0)]
    return min(
        free,
        key=lambda each: (running.get(each.caller, 0), turns.get(each.caller, 0)),
        default=None,
    )
