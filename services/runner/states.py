"""The states of a job, and what a container's end means for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

State = Literal[
    "queued",
    "running",
    "succeeded",
    "failed",
    "timed_out",
    "cancelled",
    "interrupted",
    "error",
]
"""
    queued       accepted; nothing of it has run
    running      its container may have been started
    succeeded    ended with exit code 0, within its limits
    failed       ended otherwise by itself, or for its memory or its disk
    timed_out    was ended, as it ran longer than it may
    cancelled    was ended, or never begun, as a caller asked
    interrupted  the runner, the guard, Docker or the machine died while it was running
    error        could not be begun; the reason says why
"""

STATES: tuple[State, ...] = get_args(State)

NEXT: dict[State, frozenset[State]] = {
    "queued": frozenset({"running", "cancelled", "error"}),
    "running": frozenset({"succeeded", "failed", "timed_out", "cancelled", "interrupted", "error"}),
}
"""Which states may follow. A state that is not here is final."""


def is_final(state: str) -> bool:
    """Whether a job stays in a state for ever."""
    return state not in NEXT


@dataclass(frozen=True)
class End:
    """How a container was found when it no longer ran.

    `seconds` is how long it ran by the runner's clock, `cancelled` whether it was ended as a
    caller asked, `timed_out` whether it was ended for its time, `lost` whether the guard could not
    be asked meanwhile, or Docker went away, `error` what guard or Docker say of it.
    """

    exit_code: int | None
    oom_killed: bool = False
    error: str = ""
    seconds: float = 0.0
    cancelled: bool = False
    timed_out: bool = False
    lost: bool = False


TIMED_OUT, DISK_FULL = "timed_out", "disk_full"
"""What the guard says as `error` of a container that it ended."""

SIGNALLED = (137, 143, 255)
"""Exit codes of a container that somebody ended: SIGKILL, SIGTERM, and what Docker writes of one
that was gone when it came back."""


def outcome(end: End, limit_seconds: int) -> tuple[State, str]:
    """Given how a container ended and how long it might run, return the job's state and, unless it
    succeeded, the reason for people.

    Memory comes first: a process that was killed for it in the middle of a pipe leaves 0.
    """
    if end.oom_killed:
        return "failed", "a process was killed as the job used more memory than it may"
    if end.error == DISK_FULL:
        return "failed", "it was ended as it used more disk than it may, in bytes or in files"
    if end.cancelled:
        return "cancelled", "a caller asked for its end"
    # The guard ends it too, by a clock that began a little earlier.
    over = end.seconds >= limit_seconds - 1 and end.exit_code in SIGNALLED
    if end.timed_out or over or end.error == TIMED_OUT:
        return "timed_out", f"it ran longer than the {limit_seconds} s that it may"
    if end.exit_code is None:
        return "interrupted", end.error or "its container is gone; nobody knows how it ended"
    if end.error:
        return "failed", end.error
    if end.lost and end.exit_code in SIGNALLED:
        return "interrupted", "guard or Docker died while it was running"
    if end.exit_code != 0:
        return "failed", f"it ended with exit code {end.exit_code}"
    return "succeeded", ""
