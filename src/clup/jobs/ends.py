"""How a job ended, as an exit code and as a line.

A job that ended by itself gives its own exit code. Any of 0 to 255 can be a job's own: the line on
stderr and `state` in the document tell a job that ended with 124 from one that ran too long.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOT_BEGUN = 120
CANCELLED = 121
INTERRUPTED = 122
"""Runner, guard, Docker or the machine died while it ran."""
REFUSED = 123
"""The runner did not take it."""
TIMED_OUT = 124
"""As `timeout` has it."""
UNKNOWN = 125
"""As `docker run` has it: the machine or its runner could not be asked, and the job may go on."""
LEFT = 130
"""Ctrl-C, while the job goes on."""
KILLED = 137
"""What a shell gives for SIGKILL, which is how a job's memory ends."""

_OF_STATE = {
    "succeeded": 0,
    "timed_out": TIMED_OUT,
    "cancelled": CANCELLED,
    "interrupted": INTERRUPTED,
    "error": NOT_BEGUN,
}

Job = Mapping[str, Any]


def exit_code(job: Job) -> int:
    """Given a job as the runner shows it, return the exit code of a command that waited for it.

    One that failed never gives 0: memory that ran out in the middle of a pipe leaves 0 behind.
    """
    state, result = job["state"], job["result"] or {}
    if state in _OF_STATE:
        return _OF_STATE[state]
    if state != "failed":
        return UNKNOWN
    return result.get("exit_code") or (KILLED if result.get("oom_killed") else 1)


def is_over(job: Job) -> bool:
    """Whether a job has ended."""
    return job["finished"] is not None


def summary(job: Job) -> str:
    """Given a job, return the line about it: what, which, how it is or ended, and why."""
    result = job["result"] or {}
    words = [f"{job['job']} {short(job['id'])}: {job['state']}"]
    if result.get("seconds") is not None:
        words.append(f" after {result['seconds']:.1f} s")
    if result.get("reason"):
        words.append(f": {result['reason']}")
    if files := result.get("artifacts"):
        words.append(f"; {files} file{'s' * (files > 1)} in reports/{job['id']}/artifacts")
    if refused := result.get("artifacts_refused"):
        words.append(f"; not collected: {', '.join(refused)}")
    return "".join(words)


def short(job_id: str) -> str:
    """Return enough of a job's id for people: commands take the beginning of one."""
    return job_id[:12]
