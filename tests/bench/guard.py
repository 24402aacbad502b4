"""What the guard costs: time added to a ping and to a job, and memory while nothing happens. Ends
with 1 when a ping or the memory costs more than is allowed.

    python -m tests.bench.guard [RUNS]

On this machine's own Docker, side by side in one run, RUNS times each (default 300 pings, a tenth
of that of jobs): Docker asked directly, and through the guard in its own container. Every request
has a connection of its own. Memory is the container's control group without its inactive files.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

from clup import images
from clup.lab.docker import docker
from tests.bench.memory import memory

NAME = "clup-bench-guard"
KEY = "k" * 64
SOCKET = "/var/run/docker.sock"
IDLE_SECONDS = 10
MOST_MB, MOST_ADDED_MS = 45, 1.0


class _Docker(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


def request(
    connection: http.client.HTTPConnection, method: str, path: str, body: str = ""
) -> bytes:
    """Send a request and return the answer's body. Raise RuntimeError for one that is refused."""
    connection.request(method, path, body or None, {"Authorization": f"Bearer {KEY}"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
    return text


def start(folder: Path, image: str) -> str:
    """Start a guard on this machine's Docker, and return its address."""
    for name in ("jobs", "key", "ledger", "repo", "cache"):
        (folder / name).mkdir()
    (folder / "key/key").write_text(KEY)
    (folder / "key/key").chmod(0o400)
    job = {"job": "nothing", "description": "Does nothing", "image": image, "trust": "untrusted",
           "command": ["/bin/true"]}  # fmt: skip
    (folder / "jobs/nothing.yaml").write_text(json.dumps(job))
    settings = {
        "DOCKER_SOCKET": SOCKET, "KEY_FILE": "/guard/key/key",
        "JOBS": "/guard/jobs", "LEDGER": "/guard/ledger/heads", "REPOSITORIES": "/srv/x",
        "CACHE_GRADLE": "/srv/y", "UNTRUSTED_USER": "7001:7001", "TRUSTED_USER": "7002:7002",
        "JOBS_OWNER": str(os.getuid()),
    }  # fmt: skip
    words = [word for name, value in settings.items() for word in ("-e", f"GUARD_{name}={value}")]
    mounts = ["-v", f"{SOCKET}:{SOCKET}", "-v", f"{folder}:/guard"]
    docker("run", "-d", "--name", NAME, "--user", "0:0", "--read-only", *mounts, *words, image)
    address = docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", NAME).strip()
    for _ in range(100):
        try:
            request(http.client.HTTPConnection(address, 2375), "GET", "/_ping")
        except OSError:
            time.sleep(0.1)
        else:
            return address
    raise RuntimeError(docker("logs", NAME))


def timed(runs: int, ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the median of each way in milliseconds; in turn, so that a slow moment meets all."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, way in ways.items():
            begun = time.perf_counter()
            way()
            took[name].append((time.perf_counter() - begun) * 1000)
    return {name: statistics.median(each) for name, each in took.items()}


def job_through(address: str) -> None:
    """Run the job that does nothing through the guard: make, start, wait, remove."""
    job_id = os.urandom(16).hex()
    labels = {"clup.job": "nothing", "clup.job.id": job_id, "clup.job.parameters": "{}",
              "clup.audit.head": "a" * 64}  # fmt: skip
    for method, path, body in (
        ("POST", f"/containers/create?name={job_id}", json.dumps({"Labels": labels})),
        ("POST", f"/containers/{job_id}/start", ""),
        ("POST", f"/containers/{job_id}/wait", ""),
        ("DELETE", f"/containers/{job_id}", ""),
    ):
        request(http.client.HTTPConnection(address, 2375), method, path, body)


def memory_mb() -> float:
    """Return the memory of the guard's container."""
    total, _ = memory(int(docker("inspect", "-f", "{{.State.Pid}}", NAME)))
    return total


def main() -> None:
    """Measure and print a line for each."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    image = docker("inspect", "-f", "{{.Id}}", images.ensure("guard", click.echo)).strip()
    folder = Path(tempfile.mkdtemp(prefix="clup-bench-"))
    try:
        address = start(folder, image)
        time.sleep(IDLE_SECONDS)
        idle = memory_mb()
        click.echo(f"memory, idle: {idle:.1f} MB ({MOST_MB} allowed)")
        pings = timed(runs, {
            "direct": lambda: request(_Docker("docker"), "GET", "/_ping"),
            "guard": lambda: request(http.client.HTTPConnection(address, 2375), "GET", "/_ping"),
        })  # fmt: skip
        added = pings["guard"] - pings["direct"]
        click.echo(
            f"ping: direct {pings['direct']:.2f} ms, through the guard {pings['guard']:.2f} ms, "
            f"added {added:.2f} ms ({MOST_ADDED_MS} allowed; medians of {runs})"
        )
        run = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "/bin/true", image]
        jobs = timed(max(runs // 10, 3), {
            "direct": lambda: subprocess.run(run, check=True),
            "guard": lambda: job_through(address),
        })  # fmt: skip
        click.echo(f"job that does nothing: docker run {jobs['direct']:.0f} ms, through the guard "
              f"{jobs['guard']:.0f} ms")  # fmt: skip
        click.echo(f"memory, after that: {memory_mb():.1f} MB")
        if idle > MOST_MB or added > MOST_ADDED_MS:
            sys.exit(1)
    finally:
        docker("rm", "--force", "--volumes", NAME)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
