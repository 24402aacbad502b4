"""What became of jobs after guard, runner, Docker or the machine died: what the runner says of
each, beside what is there on the machine.

A job of the name `notes` writes down on the machine that it begins, and that it came to its end. So
it is the job itself that tells whether it ran twice, and not Docker, which forgets.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from clup import lab
from services.audit.verify import seen_by_guard, verify
from tests.lab.command import on_machine
from tests.lab.runner_machine import STAND, asked, queued

ENDS = {"succeeded", "interrupted"}
# A container that Docker was killed while it made has begun nothing. Docker forgets it; containerd
# keeps its empty process until the next boot, or until somebody removes it (troubleshooting.md).
LEFT = """
docker ps -a --filter label=clup.class=job --format 'container {{.Names}} is {{.Status}}'
docker volume ls --format 'volume {{.Name}}, labels {{.Labels}}'
ps -o pid=,args= --user 7001,7002 | grep -v ' runc init$' | sed 's/^/process /'
"""
NOTED = f"cd {STAND}/gradle; grep -H . * 2>/dev/null || true"


@dataclass(frozen=True)
class Seen:
    """The state of each job that the runner knows, by its id; how often each began, and came to its
    end, by its own notes; what is left on the machine; what is wrong with the audit chain."""

    states: Mapping[str, str]
    taking_notes: Collection[str]
    began: Mapping[str, int]
    done: Mapping[str, int]
    left: Collection[str]
    findings: Collection[str]

    def wrong(self, accepted: Collection[str]) -> list[str]:
        """Return what is not as it must be once nothing is under way any more."""
        said = [f"{job} is absent" for job in accepted if job not in self.states]
        said += [f"{job} was never asked for" for job in self.states if job not in accepted]
        said += [f"{job} is {state}" for job, state in self.states.items() if state not in ENDS]
        said += [f"{job} ran {times} times" for job, times in self.began.items() if times > 1]
        said += [
            f"{job} succeeded, but came to its end {self.done[job]} times"
            for job, state in self.states.items()
            if state == "succeeded" and job in self.taking_notes and self.done[job] != 1
        ]
        return [*said, *self.remains]

    @property
    def remains(self) -> list[str]:
        """What is left, and what is wrong with the chain."""
        return [*(f"left: {each}" for each in self.left), *self.findings]

    def fates(self, accepted: Collection[str]) -> dict[str, int]:
        """Return how many of these jobs had which fate."""
        ends = Counter(self.states.get(job, "absent") for job in accepted)
        return {
            "accepted": len(accepted),
            "finished": ends["succeeded"],
            "interrupted": ends["interrupted"],
            "absent": ends["absent"],
            "run twice": sum(self.began[job] > 1 for job in accepted),
            "orphaned": len(self.left),
        }


def begin_some(box: lab.Lab) -> list[str]:
    """Have four jobs queued, of which half take 3 s and half no time, and return their ids."""
    levels = ("high", "high", "low", "low")
    return queued(box, *({"job": "notes", "parameters": {"level": level}} for level in levels))


def look(box: lab.Lab) -> Seen:
    """Return what is seen now."""
    (listed,) = asked(box, ("GET", "/v1/jobs?limit=200", None))
    notes = [line.split(":") for line in on_machine(box, NOTED).splitlines()]
    # The guard's heads first: the chain is exported a moment later.
    heads = seen_by_guard(on_machine(box, f"cat {STAND}/ledger/heads").encode())
    chain = on_machine(box, f"cat {STAND}/audit/*.jsonl").encode()
    return Seen(
        states={job["id"]: job["state"] for job in listed["jobs"]},
        taking_notes={job["id"] for job in listed["jobs"] if job["job"] == "notes"},
        began=Counter(job for job, note in notes if note == "begun"),
        done=Counter(job for job, note in notes if note == "done"),
        left=on_machine(box, LEFT).splitlines(),
        findings=[str(each) for each in verify([("audit", chain)], heads).findings],
    )


def settled(box: lab.Lab, accepted: Collection[str], seconds: float = 120) -> Seen:
    """Return what is seen as soon as all is as it must be, within so many seconds."""
    until = time.monotonic() + seconds
    while wrong := (seen := look(box)).wrong(accepted):
        assert time.monotonic() < until, f"after {seconds:.0f} s: {wrong}"
        time.sleep(1)
    return seen
