"""From an HTTP request to an answer: the key, the operation, and one shape of refusal."""

from __future__ import annotations

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from aiohttp import web

from services.guard.asked import LARGEST, asked
from services.guard.body import MB
from services.guard.containers import Containers
from services.guard.cut import Cut
from services.guard.docker import DockerError, DockerGoneError
from services.guard.door import Door
from services.guard.refusal import Refusal
from services.guard.route import Call, route
from services.guard.say import Lines, Sparingly

BODY_SECONDS = 10
STALL_SECONDS = 60
"""How long a reader may take nothing of a stream."""

_MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
_TAR = "application/x-tar"
_Result = TypeVar("_Result")


class App:
    """The handler of every request."""

    def __init__(self, containers: Containers, key: bytes):
        self.containers = containers
        self.door = Door(self._protocol)
        self._key = b"Bearer " + key
        self._refusals = Sparingly()
        logger = logging.Logger("http", logging.WARNING)
        logger.addHandler(Lines(self._refusals))
        self._changes: set[asyncio.Future[Any]] = set()
        self._server = web.Server(
            self.handle,
            handler_cancellation=True,
            access_log=None,
            logger=logger,
            keepalive_timeout=0,
            # Of a body that is refused nothing more is read.
            lingering_time=0,
            max_line_size=2048,
            max_field_size=2048,
            auto_decompress=False,
        )
        self._operations: dict[str, Callable[[web.BaseRequest, Call], Awaitable[Any]]] = {
            "ping": self._ping,
            "version": self._version,
            "list": self._list,
            "create": self._create,
            "inspect": self._inspect,
            "start": self._start,
            "wait": self._wait,
            "stop": self._stop,
            "kill": self._kill,
            "logs": self._logs,
            "archive": self._archive,
            "delete": self._delete,
        }

    def _protocol(self) -> asyncio.Protocol:
        return self._server()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request."""
        self.door.arrived(request.protocol)
        try:
            response = await self._answer(request)
        except Refusal as refusal:
            response = self._refused(request, refusal)
        except DockerError as error:
            message = f"Docker answered {error.status}: {error.message}"
            response = self._refused(request, Refusal(502, "docker", message))
        except DockerGoneError as error:
            message = f"Docker does not answer ({error})"
            response = self._refused(request, Refusal(503, "docker_gone", message))
        except TimeoutError:
            message = f"nothing was read of the answer for {STALL_SECONDS} s"
            response = self._refused(request, Refusal(408, "stalled", message))
        response.force_close()
        response.headers["Server"] = "clup-guard"
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        call = route(request.method, request.raw_path)
        if call.operation != "ping":
            self._check_key(request)
        _check_form(request, call)
        answer = await self._operations[call.operation](request, call)
        if isinstance(answer, web.StreamResponse):
            return answer
        return web.json_response(answer)

    def _check_key(self, request: web.BaseRequest) -> None:
        given = request.headers.getall("Authorization", [])
        is_right = len(given) == 1 and hmac.compare_digest(
            given[0].encode("utf-8", "surrogateescape"), self._key
        )
        if not is_right:
            raise Refusal(401, "key", "send Authorization: Bearer KEY, the key of the runner")

    def _refused(self, request: web.BaseRequest, refusal: Refusal) -> web.StreamResponse:
        self._refusals.say(
            "refused",
            peer=request.remote,
            method=request.method[:20],
            target=request.raw_path,
            status=refusal.status,
            code=refusal.code,
        )
        if request.writer.output_size and request.transport:
            # The answer has begun, and nothing else can be said in it: it breaks off.
            request.transport.abort()
        said: dict[str, Any] = {"message": refusal.message, "code": refusal.code}
        if refusal.problems:
            said["problems"] = list(refusal.problems)
        return web.json_response(said, status=refusal.status)

    async def _ping(self, request: web.BaseRequest, call: Call) -> web.Response:
        await self.containers.docker.ping()
        return web.Response(text="OK")

    async def _version(self, request: web.BaseRequest, call: Call) -> object:
        return await self.containers.version()

    async def _list(self, request: web.BaseRequest, call: Call) -> object:
        return await self.containers.list()

    async def _create(self, request: web.BaseRequest, call: Call) -> web.Response:
        wanted = asked(await _body(request), call.query["name"])
        await self._whole(self.containers.create(wanted))
        return web.json_response({"Id": call.query["name"]}, status=201)

    async def _inspect(self, request: web.BaseRequest, call: Call) -> object:
        return await self.containers.inspect(call.id)

    async def _start(self, request: web.BaseRequest, call: Call) -> web.Response:
        is_new = await self._whole(self.containers.start(call.id))
        return web.Response(status=204 if is_new else 304)

    async def _wait(self, request: web.BaseRequest, call: Call) -> object:
        return await self.containers.wait(call.id)

    async def _stop(self, request: web.BaseRequest, call: Call) -> web.Response:
        await self._whole(self.containers.stop(call.id, call.query.get("t")))
        return web.Response(status=204)

    async def _kill(self, request: web.BaseRequest, call: Call) -> web.Response:
        await self._whole(self.containers.kill(call.id))
        return web.Response(status=204)

    async def _delete(self, request: web.BaseRequest, call: Call) -> web.Response:
        await self._whole(self.containers.delete(call.id))
        return web.Response(status=204)

    async def _logs(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        follow, tail = call.query.get("follow", "0"), call.query.get("tail", "all")
        async with self.containers.logs(call.id, follow, tail) as (container, answer):
            cut = Cut(container.limits.output_mb * MB)
            response = await _begun(request, _MULTIPLEXED)
            async for chunk in answer.content.iter_any():
                await _sent(response, cut.passed(chunk))
                if cut.is_full:
                    break
            await response.write_eof()
            return response

    async def _archive(self, request: web.BaseRequest, call: Call) -> web.StreamResponse:
        """Send the artifacts. Where they are larger than they may be, the stream breaks off."""
        async with self.containers.archive(call.id) as (container, answer):
            left = container.limits.artifacts_mb * MB
            response = await _begun(request, _TAR)
            async for chunk in answer.content.iter_any():
                left -= len(chunk)
                if left < 0:
                    raise Refusal(413, "too_large", "the artifacts are larger than artifacts_mb")
                await _sent(response, chunk)
            await response.write_eof()
            return response

    async def _whole(self, change: Awaitable[_Result]) -> _Result:
        """Carry out a change to its end, also when whoever asked for it has gone."""
        task = asyncio.ensure_future(change)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return await asyncio.shield(task)


def _check_form(request: web.BaseRequest, call: Call) -> None:
    """Refuse what makes a request mean more than it says."""
    headers = request.headers
    if "Upgrade" in headers or "Expect" in headers:
        raise Refusal(400, "form", "no Upgrade and no Expect is understood here")
    if "Transfer-Encoding" in headers or "Content-Encoding" in headers:
        raise Refusal(411, "form", "send the body as it is, with a Content-Length")
    if len(headers.getall("Content-Length", [])) > 1 or len(headers.getall("Host", [])) != 1:
        raise Refusal(400, "form", "send one Host, and Content-Length once at most")
    length = request.content_length or 0
    if call.operation != "create" and length:
        raise Refusal(400, "form", "this operation has no body; send none")
    if length > LARGEST:
        raise Refusal(413, "form", f"the body has more than {LARGEST} bytes")


async def _body(request: web.BaseRequest) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.content.readexactly(request.content_length or 0)
    except (TimeoutError, asyncio.IncompleteReadError) as error:
        raise Refusal(408, "form", "the body did not come as announced") from error


async def _begun(request: web.BaseRequest, kind: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": kind, "Server": "clup-guard"})
    response.force_close()
    await response.prepare(request)
    return response


async def _sent(response: web.StreamResponse, data: bytes) -> None:
    """Send bytes, waiting for a slow reader: then Docker waits too, and nothing is kept here."""
    if data:
        async with asyncio.timeout(STALL_SECONDS):
            await response.write(data)
