"""The client, against a socket that speaks as much of Docker's API as is said here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from services.guard.docker import Docker, DockerError, DockerGoneError


@asynccontextmanager
async def daemon(socket: Path, newest: str, oldest: str = "1.24") -> AsyncIterator[list[str]]:
    """Serve on a socket, and note the requests; the socket goes with the daemon."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(f"{request.method} {request.path}")
        if request.path == "/_ping":
            return web.Response(text="OK")
        if request.path == "/version":
            return web.json_response({"ApiVersion": newest, "MinAPIVersion": oldest})
        if request.path.endswith("/info"):
            return web.json_response({"MemoryLimit": True, "PidsLimit": True})
        if request.path.endswith("/absent"):
            return web.json_response({"message": "No such container"}, status=404)
        return web.json_response([])

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(socket)).start()
    try:
        yield seen
    finally:
        await runner.cleanup()
        socket.unlink(missing_ok=True)


def asked(socket: Path, story: Callable[[Docker], Awaitable[None]]) -> None:
    """Run a story with a client of that socket."""

    async def told() -> None:
        async with asyncio.timeout(20), Docker(socket) as docker:
            await story(docker)

    asyncio.run(told())


@pytest.mark.parametrize(
    ("newest", "spoken"), [("1.41", "1.41"), ("1.47", "1.47"), ("1.52", "1.47")]
)
def test_the_newest_version_that_both_know_is_spoken(
    tmp_path: Path, newest: str, spoken: str
) -> None:
    async def story(docker: Docker) -> None:
        async with daemon(tmp_path / "socket", newest) as seen:
            await docker.call("GET", "/containers/json")
            await docker.call("GET", "/containers/json")
        assert seen == ["GET /version", *[f"GET /v{spoken}/containers/json"] * 2]

    asked(tmp_path / "socket", story)


@pytest.mark.parametrize(("newest", "oldest"), [("1.40", "1.12"), ("1.60", "1.48")])
def test_a_version_that_is_not_known_is_refused(tmp_path: Path, newest: str, oldest: str) -> None:
    async def story(docker: Docker) -> None:
        async with daemon(tmp_path / "socket", newest, oldest):
            with pytest.raises(DockerGoneError, match="Docker speaks API"):
                await docker.call("GET", "/containers/json")

    asked(tmp_path / "socket", story)


def test_another_daemon_on_another_socket_of_that_name_is_found(tmp_path: Path) -> None:
    async def story(docker: Docker) -> None:
        async with daemon(tmp_path / "socket", "1.41"):
            await docker.ping()
            await docker.call("GET", "/containers/json")
        for _ in range(2):
            with pytest.raises(DockerGoneError):
                await docker.ping()
            with pytest.raises(DockerGoneError):
                await docker.call("GET", "/containers/json")
        async with daemon(tmp_path / "socket", "1.45") as seen:
            await docker.ping()
            await docker.call("GET", "/containers/json")
        assert seen == ["GET /_ping", "GET /version", "GET /v1.45/containers/json"]

    asked(tmp_path / "socket", story)


def test_an_error_of_dockers_is_told_with_its_message(tmp_path: Path) -> None:
    async def story(docker: Docker) -> None:
        async with daemon(tmp_path / "socket", "1.45"):
            with pytest.raises(DockerError, match="No such container") as raised:
                await docker.call("GET", "/absent")
        assert raised.value.status == 404

    asked(tmp_path / "socket", story)


def test_limits_that_docker_cannot_set_are_named(tmp_path: Path) -> None:
    async def story(docker: Docker) -> None:
        async with daemon(tmp_path / "socket", "1.45"):
            assert await docker.lacking() == {"CpuCfsQuota"}

    asked(tmp_path / "socket", story)
