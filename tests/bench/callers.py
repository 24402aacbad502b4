"""Callers on the machine of guard and runner: each queues its jobs at once, and sees them end.

    python3 - JOBS CALLER...

Each caller has a token of its own, and queues JOBS without waiting for any of them; told to ask
again later, it does so. Prints JSON: `seconds` from before the first request to when all callers
know of all ends, `queueing`, those to the answer of the last request that queued a job, `put_off`,
how often one was told to ask later, and `jobs`, as the runner tells them, by caller.
"""

import http.client
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from pathlib import Path
from typing import Any

ADDRESS = ("127.0.0.1", 18888)
TOKENS = Path("/srv/stand/tokens")


class Caller:
    """One that asks for jobs, over one connection."""

    def __init__(self, name: str):
        token = (TOKENS / name).read_text(encoding="ascii").strip()
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._connection = http.client.HTTPConnection(*ADDRESS, timeout=90)
        self.put_off = 0
        """How often it was told to ask again later."""
        self.queued_at = 0.0
        """When its last job was accepted."""

    def run(self, jobs: int) -> list[dict[str, Any]]:
        """Queue so many jobs, and return them when they have ended."""
        queued = [self._queue() for _ in range(jobs)]
        self.queued_at = time.monotonic()
        return [self._end_of(job) for job in queued]

    def _queue(self) -> dict[str, Any]:
        while True:
            status, headers, job = self._ask("POST", "/v1/jobs/run", {"job": "nothing"})
            if status == 202:
                return job
            if status != 429:
                raise RuntimeError(f"{status} {job}")
            self.put_off += 1
            time.sleep(int(headers["Retry-After"]))

    def _end_of(self, job: dict[str, Any]) -> dict[str, Any]:
        while not job["finished"]:
            _, _, job = self._ask("GET", f"/v1/jobs/{job['id']}?wait=60")
        return job

    def _ask(
        self, method: str, path: str, body: object = None
    ) -> tuple[int, Message, dict[str, Any]]:
        content = json.dumps(body) if body is not None else None
        self._connection.request(method, path, content, self._headers)
        answer = self._connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())


def main(jobs: int, names: list[str]) -> None:
    """Have all callers run their jobs side by side, and print what came of it."""
    callers = [Caller(name) for name in names]
    began = time.monotonic()
    with ThreadPoolExecutor(len(callers)) as threads:
        ran = list(threads.map(lambda caller: caller.run(jobs), callers))
    said = {
        "seconds": time.monotonic() - began,
        "queueing": max(caller.queued_at for caller in callers) - began,
        "put_off": sum(caller.put_off for caller in callers),
        "jobs": dict(zip(names, ran, strict=True)),
    }
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
