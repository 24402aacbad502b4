"""Whether Docker stayed, against a socket whose daemon keeps a request open, or is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from services.guard import presence
from services.guard.docker import Docker
from services.guard.presence import Presence

FULL = "f" * 64


@asynccontextmanager
async def daemon(socket: Path) -> AsyncIterator[None]:
    """A Docker of which no event comes; it breaks off in the middle, as one that is killed."""
    asking: set[asyncio.Transport] = set()

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/version":
            return web.json_response({"ApiVersion": "1.45"})
        assert request.path.endswith("/events")
        assert request.transport is not None
        response = web.StreamResponse()
        await response.prepare(request)
        asking.add(request.transport)
        await asyncio.sleep(60)
        return response

    app = web.Application()
    app.router.add_get("/{tail:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    try:
        yield
    finally:
        for each in asking:
            each.abort()
        await runner.cleanup()
        socket.unlink(missing_ok=True)


def test_docker_that_came_back_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "AGAIN_SECONDS", 0.01)
    socket = tmp_path / "socket"

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.01)

    async def story() -> None:
        async with Docker(socket) as docker:
            seen = Presence(docker)

            def is_here() -> bool:
                seen.note("probe")
                return seen.has_lasted("probe")

            watching = asyncio.create_task(seen.run())
            seen.note(FULL)
            assert not seen.has_lasted(FULL)
            async with daemon(socket):
                await until(is_here)
                assert not seen.has_lasted(FULL), "it was started when nobody knew of a Docker"
                seen.note(FULL)
                assert seen.has_lasted(FULL)
                assert not seen.has_lasted("e" * 64), "what another guard started"
            await until(lambda: not seen.has_lasted(FULL))
            async with daemon(socket):
                await until(is_here)
                assert not seen.has_lasted(FULL)
                seen.note(FULL)
                seen.forget(FULL)
                assert not seen.has_lasted(FULL)
            watching.cancel()

    asyncio.run(story())
