"""What a slow reader of a long log costs the runner, and whether it gets all of it.

    python -m tests.bench.slow_reader [MB [MB_A_SECOND]]

A job prints MB (default 100) to its limit and beyond, and one reader follows at MB_A_SECOND
(default 1). Compared are the runner's anonymous pages before, and the most of them meanwhile: those
are its own, whatever it has read of files. The guard is the tests' own, in this process; the
runner is a process as it is deployed.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
import time
from pathlib import Path

import httpx2

from services.jobs import read_folder
from tests.unit.services.runner.fake_guard import FakeGuard, Script, serving
from tests.unit.services.runner.runners import add_job, lay_out, served, token

MB = 2**20
LINE = b"0123456789 the quick brown fox jumps over the lazy dog 0123456\n"


def own_mb(pid: int) -> float:
    """Return a process's anonymous pages."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"^RssAnon:\s+([0-9]+) kB", status, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


async def read_slowly(client: httpx2.AsyncClient, job: str, rate: float) -> tuple[int, list[str]]:
    """Follow a job's output at a rate; return the bytes of output and the names of the last two
    events."""
    size, last, began, taken, rest = 0, [""], time.monotonic(), 0, b""
    async with client.stream("GET", f"/v1/jobs/{job}/logs?follow=1") as answer:
        async for data in answer.aiter_raw(64 * 1024):
            taken += len(data)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.startswith(b"event: "):
                    last = [*last[-1:], line[7:].decode()]
                elif line.startswith(b"data: ") and last[-1] == "output":
                    size += len(json.loads(line[6:])["text"])
            await asyncio.sleep(max(0, began + taken / rate / MB - time.monotonic()))
    return size, last


async def measure(size_mb: int, rate: float) -> None:
    """Print the figures."""
    chunk = LINE * (MB // len(LINE) // 16)
    flood = Script(output=[(0, 1, chunk)] * (size_mb * MB // len(chunk) + 20))
    guard = FakeGuard({"flood": flood, "quick": Script()})
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        data = lay_out(root, {"quick": 60})
        add_job(data, "flood", output_mb=size_mb)
        guard.catalogue = read_folder(data / "jobs").digest
        async with serving(guard) as guard_port, serving(FakeGuard({})) as port:
            pass
        async with serving(guard, guard_port):
            process = await served(root, guard_port, port)
            headers = {"Authorization": f"Bearer {token('gateway')}"}
            async with httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=60, trust_env=False
            ) as client:
                warm = (await client.post("/v1/jobs/run", json={"job": "quick"})).json()["id"]
                await read_slowly(client, warm, 1)
                before = most = own_mb(process.pid)
                job = (await client.post("/v1/jobs/run", json={"job": "flood"})).json()["id"]
                reading = asyncio.create_task(read_slowly(client, job, rate))
                while not reading.done():
                    most = max(most, own_mb(process.pid))
                    await asyncio.sleep(0.1)
                size, last = await reading
            process.terminate()
            await process.wait()
    sys.stdout.write(
        f"runner before: {before:.1f} MB, at most meanwhile: {most:.1f} MB, "
        f"grown by {most - before:.1f} MB (16 allowed)\n"
        f"output read: {size} of {size_mb * MB} bytes, then: {', '.join(last)}\n"
    )
    if most - before > 16 or size != size_mb * MB or last != ["truncated", "end"]:
        sys.exit(1)


if __name__ == "__main__":
    given = [float(word) for word in sys.argv[1:]]
    asyncio.run(measure(int(given[0]) if given else 100, given[1] if given[1:] else 1.0))
