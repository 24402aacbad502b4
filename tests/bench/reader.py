"""A slow reader on the machine of guard and runner: has a job run, and follows it at a rate.

    python3 - JOB BYTES_A_SECOND

The rate is that of what comes: events, which are somewhat larger than the output in them. Prints
JSON: `bytes` and `sha256` of the job's output, the names of the `events` after it, the `seconds`
that it all took, and the `job` as the runner tells it.
"""

import base64
import hashlib
import http.client
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ADDRESS = ("127.0.0.1", 18888)
TOKEN = Path("/srv/stand/tokens/operator")


def ask(method: str, path: str, body: object = None) -> http.client.HTTPResponse:
    """Ask the runner, and return its answer, of which nothing is read yet."""
    token = TOKEN.read_text(encoding="ascii").strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(*ADDRESS, timeout=60)
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path}: {answer.status} {answer.read().decode()}")
    return answer


def lines(answer: http.client.HTTPResponse, rate: float) -> Iterator[bytes]:
    """Yield an answer's lines, read at so many bytes a second."""
    began, taken, rest = time.monotonic(), 0, b""
    while data := answer.read1(64 * 1024):
        taken += len(data)
        *whole, rest = (rest + data).split(b"\n")
        yield from whole
        time.sleep(max(0.0, began + taken / rate - time.monotonic()))


def follow(job: str, rate: float) -> dict[str, Any]:
    """Follow a job's output to its end, and return what is printed of it."""
    began, size, digest = time.monotonic(), 0, hashlib.sha256()
    event, events = "", []
    for line in lines(ask("GET", f"/v1/jobs/{job}/logs?follow=1"), rate):
        name, _, value = line.decode().partition(": ")
        if name == "event":
            event = value
            events += [event] if event != "output" else []
        elif name == "data" and event == "output":
            said = json.loads(value)
            data = said["text"].encode() if "text" in said else base64.b64decode(said["base64"])
            size += len(data)
            digest.update(data)
            if events:
                raise RuntimeError(f"there is output after {events}")
    seconds = time.monotonic() - began
    return {"bytes": size, "sha256": digest.hexdigest(), "events": events, "seconds": seconds}


def main(name: str, rate: float) -> None:
    """Print what the module says."""
    job = json.load(ask("POST", "/v1/jobs/run", {"job": name}))["id"]
    read = follow(job, rate)
    sys.stdout.write(json.dumps(read | {"job": json.load(ask("GET", f"/v1/jobs/{job}"))}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
