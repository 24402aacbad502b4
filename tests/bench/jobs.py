"""A job that does nothing, through runner and guard, beside `docker run` of the same image.

    python -m tests.bench.jobs LAB [RUNS]

LAB is a lab machine on which tests/lab/test_runner.py has put guard and runner. Both are run in
turn, RUNS times each (default 20), then 200 jobs of 8 callers beside as many `docker run` at the
same parallelism. Figures are seconds of wall time, on the machine itself.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from clup import lab
from clup.lab.keys import ssh_argv
from tests.lab.command import on_machine

PARALLEL, JOBS = 4, 200

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


def main(name: str, runs: int) -> None:
    """Print the figures."""
    box = lab.find(name)
    assert box
    direct, through = [], []
    for _ in range(runs):
        direct.append(timed(box, ONE))
        through.append(jobs(box, 1, 1))
    all_direct = timed(box, f"seq {JOBS} | xargs -P {PARALLEL} -I _ {ONE}")
    all_through = jobs(box, JOBS, 8)
    figures = {
        "docker run, median": statistics.median(direct),
        "job, median": statistics.median(through),
        "ratio (1.1 allowed)": statistics.median(through) / statistics.median(direct),
        f"{JOBS} docker run, {PARALLEL} at a time": all_direct,
        f"{JOBS} jobs of 8 callers": all_through,
        "throughput of jobs to docker run (0.9 needed)": all_direct / all_through,
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else 20)
