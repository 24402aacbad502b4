"""Runners for tests: the real application on a real port, before a guard of scripts."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from fastapi import FastAPI

from services.jobs import read_folder
from services.runner.app import create
from services.runner.connections import SERVED
from services.runner.settings import Settings
from tests.unit.services.runner.fake_guard import KEY, FakeGuard, Script, serving

IMAGE = "sha256:" + "a" * 64
JOB = """
job: {name}
description: what a test needs
image: {image}
command: [/bin/true]
trust: untrusted
parameters:
  level: {{kind: enum, values: [low, high], default: low}}
  depth: {{kind: integer, minimum: 1, maximum: 50, default: 5}}
limits: {{seconds: {seconds}, output_mb: {output_mb}, artifacts_mb: 1}}
"""
RIGHTS = "jobs: {jobs}\nparallel: {parallel}\nqueued: {queued}\nsees: {sees}\n"


def token(name: str) -> str:
    return f"{name}-".ljust(43, "t")


def add_caller(
    data: Path, name: str, jobs: str = "all", parallel: int = 4, queued: int = 50, sees: str = "own"
) -> None:
    path = data / "tokens" / name
    path.write_text(token(name) + "\n", encoding="ascii")
    path.chmod(0o600)
    rights = RIGHTS.format(jobs=jobs, parallel=parallel, queued=queued, sees=sees)
    path.with_suffix(".yaml").write_text(rights, encoding="ascii")


def add_job(data: Path, name: str, seconds: int = 60, output_mb: int = 1) -> None:
    text = JOB.format(name=name, image=IMAGE, seconds=seconds, output_mb=output_mb)
    (data / "jobs" / f"{name}.yaml").write_text(text, encoding="ascii")


def lay_out(root: Path, jobs: dict[str, int]) -> Path:
    """Make the folders of a runner with jobs (by name, their seconds) and callers; return its
    data."""
    data = root / "data"
    for folder in (data / "jobs", data / "tokens", root / "cache"):
        folder.mkdir(parents=True)
    (root / "key").write_text(KEY + "\n", encoding="ascii")
    for name, seconds in jobs.items():
        add_job(data, name, seconds)
    add_caller(data, "gateway")
    add_caller(data, "other", jobs="[quick]", parallel=1, queued=2)
    add_caller(data, "operator", sees="all")
    return data


@dataclass
class Running:
    """A runner that is up, and clients of its callers."""

    root: Path
    guard: FakeGuard
    app: FastAPI
    url: str
    port: int
    clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict)

    def client(self, name: str = "gateway") -> httpx2.AsyncClient:
        if name not in self.clients:
            headers = {"Authorization": f"Bearer {token(name)}"}
            self.clients[name] = httpx2.AsyncClient(
                base_url=self.url, headers=headers, timeout=30, trust_env=False
            )
        return self.clients[name]

    async def run(self, job: str = "quick", caller: str = "gateway", **more: Any) -> str:
        """Have a job queued and return its id."""
        body = {"job": job, **more}
        answer = await self.client(caller).post("/v1/jobs/run", json=body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    async def end(self, job_id: str) -> dict[str, Any]:
        """Return a job once it has ended."""
        answer = await self.client("operator").get(f"/v1/jobs/{job_id}?wait=20")
        said: dict[str, Any] = answer.json()
        assert said["finished"], said
        return said

    async def ran(self, job: str = "quick", **more: Any) -> dict[str, Any]:
        """Return a job that was run to its end."""
        return await self.end(await self.run(job, **more))


class Server(uvicorn.Server):
    """A server that leaves the test's signals alone."""

    def install_signal_handlers(self) -> None:
        return


@asynccontextmanager
async def running(
    root: Path,
    scripts: dict[str, Script] | None = None,
    seconds: dict[str, int] | None = None,
    guard: FakeGuard | None = None,
    port: int = 0,
    **settings: Any,
) -> AsyncIterator[Running]:
    """Have a runner up, in a folder that is laid out unless it was before."""
    guard = guard or FakeGuard(scripts or {"quick": Script()})
    if not (root / "data").exists():
        lay_out(root, dict.fromkeys(guard.scripts, 60) | (seconds or {}))
    guard.catalogue = read_folder(root / "data" / "jobs").digest
    async with serving(guard, port) as guard_port:
        app = create(
            Settings(
                docker_host=f"tcp://127.0.0.1:{guard_port}",
                guard_key_file=root / "key",
                data_dir=root / "data",
                cache_dir=root / "cache",
                **settings,
            )
        )
        config = uvicorn.Config(
            app,
            "127.0.0.1",
            0,
            log_config=None,
            timeout_graceful_shutdown=1,
            lifespan="on",
            **SERVED,
        )
        server = Server(config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        own = server.servers[0].sockets[0].getsockname()[1]
        it = Running(root, guard, app, f"http://127.0.0.1:{own}", guard_port)
        try:
            yield it
        finally:
            for client in it.clients.values():
                await client.aclose()
            server.should_exit = True
            await task


async def served(root: Path, guard_port: int, port: int) -> asyncio.subprocess.Process:
    """Start a runner as a process of its own, and return it when it answers."""
    environment = {
        "PATH": os.environ["PATH"],
        "DOCKER_HOST": f"tcp://127.0.0.1:{guard_port}",
        "RUNNER_GUARD_KEY_FILE": str(root / "key"),
        "RUNNER_DATA_DIR": str(root / "data"),
        "RUNNER_CACHE_DIR": str(root / "cache"),
        "RUNNER_HOST": "127.0.0.1",
        "RUNNER_PORT": str(port),
    }
    words = [sys.executable, "-m", "services.runner"]
    process = await asyncio.create_subprocess_exec(
        *words, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(30), httpx2.AsyncClient(trust_env=False) as client:
        while True:
            try:
                await client.get(f"http://127.0.0.1:{port}/healthz")
                return process
            except httpx2.HTTPError:
                await asyncio.sleep(0.05)
