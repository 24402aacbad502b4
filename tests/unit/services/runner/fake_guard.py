"""A guard without Docker: it keeps the contract over real HTTP, and its containers are scripts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakSet

from aiohttp import web

from services.jobs import names

KEY = "k" * 43


@dataclass
class Script:
    """What a job does: prints frames with pauses before them, then ends."""

    output: list[tuple[float, int, bytes]] = field(default_factory=list)
    seconds: float = 0.0
    exit_code: int = 0
    oom_killed: bool = False
    ignores_sigterm: bool = False
    archive: bytes | None = None
    error: str | None = None
    lost: bool = False
    keeps_stream_open: bool = False


@dataclass
class Container:
    job: str
    parameters: dict[str, object]
    head: str
    script: Script
    state: str = "created"
    exit_code: int | None = None
    printed: list[tuple[int, bytes]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class FakeGuard:
    """Its containers by job id. `started` counts starts, so that nothing runs twice unseen."""

    def __init__(self, scripts: dict[str, Script]):
        self.scripts = scripts
        self.containers: dict[str, Container] = {}
        self.started: dict[str, int] = {}
        self.heads: list[tuple[str, str]] = []
        self.is_docker_down = False
        self.catalogue = ""
        self.refusals: dict[str, tuple[int, str]] = {}
        self.most_running = 0
        self.lost_answers: list[str] = []
        self._connections: WeakSet[asyncio.Transport] = WeakSet()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._door])
        app.router.add_get("/_ping", self._ping)
        app.router.add_get("/version", self._version)
        app.router.add_get("/containers/json", self._list)
        app.router.add_post("/containers/create", self._create)
        app.router.add_get("/containers/{id}/json", self._inspect)
        for verb in ("start", "wait", "stop", "kill"):
            app.router.add_post(f"/containers/{{id}}/{verb}", getattr(self, f"_{verb}"))
        app.router.add_get("/containers/{id}/logs", self._logs)
        app.router.add_get("/containers/{id}/archive", self._archive)
        app.router.add_delete("/containers/{id}", self._delete)
        return app

    @web.middleware
    async def _door(self, request: web.Request, handler: object) -> web.StreamResponse:
        if self.is_docker_down:
            return _refused(503, "Docker does not answer")
        key = request.headers.get("Authorization")
        if request.path != "/_ping" and key != f"Bearer {KEY}":
            return _refused(401, "send the key")
        if refusal := self.refusals.get(request.path.rsplit("/", 1)[-1]):
            return _refused(*refusal)
        if request.transport is not None:
            self._connections.add(request.transport)
        answer = await handler(request)  # type: ignore[operator]
        assert isinstance(answer, web.StreamResponse)
        verb = request.path.rsplit("/", 1)[-1]
        if verb in self.lost_answers:
            self.lost_answers.remove(verb)
            self.drop()
        return answer

    def drop(self) -> None:
        """Break all connections, as a guard that is killed does."""
        while self._connections:
            self._connections.pop().abort()

    async def _ping(self, _: web.Request) -> web.Response:
        return web.Response(text="OK")

    async def _version(self, _: web.Request) -> web.Response:
        guard = {"catalogue": self.catalogue, "problems": []}
        return web.json_response({"ApiVersion": "1.45", "Version": "26", "guard": guard})

    async def _list(self, _: web.Request) -> web.Response:
        return web.json_response(
            [{"id": name, "job": each.job, "state": each.state} for name, each in self._all()]
        )

    def _all(self) -> list[tuple[str, Container]]:
        return list(self.containers.items())

    async def _create(self, request: web.Request) -> web.Response:
        labels = (await request.json())["Labels"]
        job_id = request.query["name"]
        assert labels[names.LABEL_ID] == job_id
        self.heads.append((labels[names.LABEL_HEAD], job_id))
        job = labels[names.LABEL_JOB]
        if job not in self.scripts:
            return _refused(404, f"there is no job {job}")
        if job_id in self.containers:
            return _refused(409, "taken")
        parameters = json.loads(labels[names.LABEL_PARAMETERS])
        self.containers[job_id] = Container(
            job, parameters, labels[names.LABEL_HEAD], self.scripts[job]
        )
        return web.json_response({"Id": job_id}, status=201)

    def _find(self, request: web.Request) -> Container:
        found = self.containers.get(request.match_info["id"])
        if found is None:
            raise web.HTTPNotFound(text=json.dumps({"message": "there is no such container"}))
        return found

    async def _inspect(self, request: web.Request) -> web.Response:
        found = self._find(request)
        said = {
            "id": request.match_info["id"],
            "job": found.job,
            "state": found.state,
            "started": None,
            "finished": None,
            "exit_code": found.exit_code,
            "oom_killed": found.script.oom_killed if found.exit_code is not None else None,
            "error": found.script.error if found.exit_code is not None else None,
            "lost": found.script.lost,
            "usage": {"memory_bytes": 4096},
        }
        return web.json_response(said)

    async def _start(self, request: web.Request) -> web.Response:
        found = self._find(request)
        job_id = request.match_info["id"]
        self.started[job_id] = self.started.get(job_id, 0) + 1
        found.state = "running"
        found.task = asyncio.create_task(self._play(found))
        running = sum(each.state == "running" for each in self.containers.values())
        self.most_running = max(self.most_running, running)
        return web.Response(status=204)

    async def _play(self, container: Container) -> None:
        for pause, stream, data in container.script.output:
            if pause:
                await asyncio.sleep(pause)
            container.printed.append((stream, data))
            container.more.set()
        await asyncio.sleep(container.script.seconds)
        self._end(container, container.script.exit_code)

    def _end(self, container: Container, exit_code: int) -> None:
        if container.state == "running":
            container.state, container.exit_code = "exited", exit_code
            container.over.set()
            container.more.set()

    async def _wait(self, request: web.Request) -> web.Response:
        found = self._find(request)
        if found.state == "running":
            await found.over.wait()
        return web.json_response({"exit_code": found.exit_code, "oom_killed": False})

    async def _stop(self, request: web.Request) -> web.Response:
        return self._killed(request, 137 if self._find(request).script.ignores_sigterm else 143)

    async def _kill(self, request: web.Request) -> web.Response:
        return self._killed(request, 137)

    def _killed(self, request: web.Request, exit_code: int) -> web.Response:
        found = self._find(request)
        if found.task:
            found.task.cancel()
        self._end(found, exit_code)
        return web.Response(status=204)

    async def _logs(self, request: web.Request) -> web.StreamResponse:
        found = self._find(request)
        response = web.StreamResponse()
        await response.prepare(request)
        sent = 0
        while True:
            found.more.clear()
            for stream, data in found.printed[sent:]:
                await response.write(frame(stream, data))
            sent = len(found.printed)
            if found.state != "running" and not found.script.keeps_stream_open:
                return response
            await found.more.wait()

    async def _archive(self, request: web.Request) -> web.Response:
        found = self._find(request)
        if found.script.archive is None:
            return _refused(404, "there is no such folder")
        return web.Response(body=found.script.archive)

    async def _delete(self, request: web.Request) -> web.Response:
        if self._find(request).state == "running":
            return _refused(409, "the container is running")
        del self.containers[request.match_info["id"]]
        return web.Response(status=204)


def frame(stream: int, data: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"message": message, "code": "x"}, status=status)


@asynccontextmanager
async def serving(guard: FakeGuard, port: int = 0) -> AsyncIterator[int]:
    """Serve a guard on 127.0.0.1, and give its port."""
    runner = web.AppRunner(guard.app(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
