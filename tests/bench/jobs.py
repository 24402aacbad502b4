"""A job that does nothing, through runner and guard, beside `docker run` of the same image.

    python -m tests.bench.jobs [RUNS]

On a lab machine of its own, which goes again. Both are run in turn, RUNS times each (default 20),
then 200 jobs of 8 callers beside as many `docker run` at the same parallelism. Figures are seconds
of wall time, on the machine itself, and the memory of guard and runner while nothing happens. Ends
with 1 when one is not within what is allowed.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from clup import lab
from clup.lab.keys import ssh_argv
from tests.bench.memory import READ
from tests.lab.command import on_machine
from tests.lab.runner_machine import machine

PARALLEL, JOBS = 4, 200
IDLE_SECONDS = 10
CONTAINERS = ("dkr-claw-socket-proxy", "dkr-claw-runner")

# Prints the seconds of each job, or of all of them asked for by 8 threads. $1 how many, $2 threads.
CLIENT = """
import http.client, json, sys, threading, time
token = open("/runner-data/tokens/operator").read().strip()
headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
def ask(method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=90)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())
def run():
    while True:
        status, job = ask("POST", "/v1/jobs/run", json.dumps({"job": "nothing"}))
        if status == 202:
            break
        time.sleep(0.05)
    while not job["finished"]:
        status, job = ask("GET", f"/v1/jobs/{job['id']}?wait=60")
    assert job["state"] == "succeeded", job
runs, threads = int(sys.argv[1]), int(sys.argv[2])
began = time.monotonic()
workers = [threading.Thread(target=lambda: [run() for _ in range(runs // threads)])
           for _ in range(threads)]
[worker.start() for worker in workers]
[worker.join() for worker in workers]
print(time.monotonic() - began)
"""
ONE = "docker run --rm --network none box /bin/true"


def timed(box: lab.Lab, script: str) -> float:
    """Return how long a script takes on the machine."""
    clock = "date +%s%N"
    began, ended = on_machine(box, f"{clock}\n{script} >/dev/null\n{clock}").split()
    return (int(ended) - int(began)) / 1e9


def jobs(box: lab.Lab, runs: int, threads: int) -> float:
    """Return how long so many jobs take, asked for by so many threads."""
    words = ["sudo", "docker", "exec", "-i", "dkr-claw-runner", "python3", "-"]
    done = subprocess.run(
        ssh_argv(box, [*words, str(runs), str(threads)]),
        input=CLIENT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return float(done.stdout)


def memory_mb(box: lab.Lab, container: str) -> float:
    """Return the memory of a container on the machine."""
    pid = on_machine(box, f"docker inspect -f '{{{{.State.Pid}}}}' {container}").strip()
    return float(on_machine(box, f"python3 - {pid} <<'END'\n{READ}\nEND"))


def main(runs: int) -> None:
    """Print the figures, each beside its limit."""
    with machine("bench-jobs") as box:
        time.sleep(IDLE_SECONDS)
        guard, runner = (memory_mb(box, name) for name in CONTAINERS)
        direct, through = [], []
        for _ in range(runs):
            direct.append(timed(box, ONE))
            through.append(jobs(box, 1, 1))
        all_direct = timed(box, f"seq {JOBS} | xargs -P {PARALLEL} -I _ {ONE}")
        all_through = jobs(box, JOBS, 8)
    ratio = statistics.median(through) / statistics.median(direct)
    throughput = all_direct / all_through
    say = sys.stdout.write
    say(f"memory, idle: guard {guard:.1f} MB (45 allowed), runner {runner:.1f} MB (90 allowed)\n")
    say(f"docker run {statistics.median(direct):.3f} s, job {statistics.median(through):.3f} s\n")
    say(f"a job to docker run: {ratio:.2f} times (1.1 allowed; medians of {runs})\n")
    say(f"{JOBS} docker run, {PARALLEL} at a time: {all_direct:.1f} s\n")
    say(f"{JOBS} jobs of 8 callers: {all_through:.1f} s\n")
    say(f"throughput of jobs to docker run: {throughput:.2f} (0.9 needed)\n")
    if guard > 45 or runner > 90 or ratio > 1.1 or throughput < 0.9:
        sys.exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 20)
