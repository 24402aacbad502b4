"""A job that does nothing, through runner and guard, beside `docker run` of the same image.

    python -m tests.bench.jobs [RUNS]

On a lab machine of its own, which goes again. Both are run in turn, RUNS times each (default 20).
Then 8 callers, each with a token of its own, queue 25 such jobs each at once, beside 200 `docker
run` at the parallelism of the runner. Figures are seconds of wall time, on the machine itself, from
the first request until the callers know of the last job's end, and the memory of guard and runner
while nothing happens. Ends with 1 when one is not within what is allowed, or a job did not succeed,
or a caller had to wait for another's jobs.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import datetime
from typing import Any

from clup import lab
from tests.bench import callers
from tests.bench.there import machine, memory_mb, printed
from tests.lab.command import on_machine
from tests.lab.runner_machine import STAND

PARALLEL = 4
CALLERS = [f"bench{number}" for number in range(8)]
EACH = 25
IDLE_SECONDS = 10
CONTAINERS = ("dkr-claw-socket-proxy", "dkr-claw-runner")
ONE = "docker run --rm --network none box /bin/true"

# None may run more at a time than direct Docker does, and all of its jobs may wait.
MAKE_CALLERS = f"""
cd {STAND}/tokens
umask 077
for name in {" ".join(CALLERS)}; do
  head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \\n' >$name
  printf 'jobs: [nothing]\\nparallel: {PARALLEL}\\nqueued: {EACH}\\n' >$name.yaml
  chown 7003 $name $name.yaml
done
"""


def timed(box: lab.Lab, script: str) -> float:
    """Return how long a script takes on the machine."""
    clock = "date +%s%N"
    began, ended = on_machine(box, f"{clock}\n{script} >/dev/null\n{clock}").split()
    return (int(ended) - int(began)) / 1e9


def jobs(box: lab.Lab, each: int, *names: str) -> dict[str, Any]:
    """Have callers run so many jobs each, and return what `callers` prints. Raise RuntimeError
    unless all succeeded."""
    said: dict[str, Any] = json.loads(printed(box, callers, each, *names))
    for name, ran in said["jobs"].items():
        succeeded = {job["id"] for job in ran if job["state"] == "succeeded"}
        if len(succeeded) != each:
            raise RuntimeError(f"of {each} jobs of {name} {len(succeeded)} succeeded")
    return said


def moments(said: dict[str, Any], which: str) -> list[list[float]]:
    """Return when the jobs of each caller were `started` or `finished`, in order, in seconds."""
    return [
        sorted(datetime.fromisoformat(job[which]).timestamp() for job in ran)
        for ran in said["jobs"].values()
    ]


def one_at_a_time(box: lab.Lab, runs: int) -> bool:
    """Print what a job takes beside `docker run`; return whether that is within what is allowed."""
    direct: list[float] = []
    through: list[float] = []
    for _ in range(runs):
        direct.append(timed(box, ONE))
        through.append(jobs(box, 1, CALLERS[0])["seconds"])
    ratio = statistics.median(through) / statistics.median(direct)
    sys.stdout.write(
        f"docker run {statistics.median(direct):.3f} s, job {statistics.median(through):.3f} s\n"
        f"a job to docker run: {ratio:.2f} times (1.1 allowed; medians of {runs})\n"
    )
    return ratio <= 1.1


def all_at_once(box: lab.Lab) -> bool:
    """Print what a queue takes beside as many `docker run`; return whether that is enough, and no
    caller's last job ended before another's first began."""
    count = len(CALLERS) * EACH
    direct = timed(box, f"seq {count} | xargs -P {PARALLEL} -I _ {ONE}")
    said = jobs(box, EACH, *CALLERS)
    firsts = [each[0] for each in moments(said, "started")]
    lasts = [each[-1] for each in moments(said, "finished")]
    throughput, began = direct / said["seconds"], min(firsts)
    sys.stdout.write(
        f"{count} docker run, {PARALLEL} at a time: {direct:.1f} s\n"
        f"{count} jobs of {len(CALLERS)} callers, {PARALLEL} at a time: {said['seconds']:.1f} s; "
        f"all queued after {said['queueing']:.1f} s, {said['put_off']} requests put off\n"
        f"throughput of jobs to docker run: {throughput:.2f} (0.9 needed)\n"
        f"callers' first jobs began within {max(firsts) - began:.1f} s, their last ones ended "
        f"after {min(lasts) - began:.1f} to {max(lasts) - began:.1f} s\n"
    )
    return throughput >= 0.9 and max(firsts) < min(lasts)


def main(runs: int) -> None:
    """Print the figures, each beside its limit."""
    with machine("bench-jobs") as box:
        on_machine(box, MAKE_CALLERS)
        time.sleep(IDLE_SECONDS)
        guard, runner = (memory_mb(box, name) for name in CONTAINERS)
        sys.stdout.write(
            f"memory, idle: guard {guard:.1f} MB (45 allowed), "
            f"runner {runner:.1f} MB (90 allowed)\n"
        )
        within = [guard <= 45, runner <= 90, one_at_a_time(box, runs), all_at_once(box)]
    if not all(within):
        sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 20)
