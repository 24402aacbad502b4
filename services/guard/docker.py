"""Docker's API over its Unix socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import aiohttp

NEWEST = (1, 47)
"""The newest API that this was written for; a newer daemon is asked in its words."""
OLDEST = (1, 41)

ANSWER_SECONDS = 60

_PING = b"GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"
_PING_SECONDS = 5

LIMITS = ("MemoryLimit", "CpuCfsQuota", "PidsLimit")
"""What jobs are limited by, in the words of GET /info."""


class DockerError(Exception):
    """Docker answered with an error: its status and its message."""

    def __init__(self, status: int, message: str):
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class DockerGoneError(Exception):
    """Docker does not answer, or not in time, or ended in the middle of an answer."""


class Docker:
    """A client. Each request has a connection of its own: none is left from before a restart."""

    def __init__(self, socket: Path):
        self._socket = socket
        self._version = ""
        self._lacking: frozenset[str] | None = None

    async def __aenter__(self) -> Docker:
        connector = aiohttp.UnixConnector(path=str(self._socket), force_close=True, limit=0)
        # Docker would compress archives: what passes is to be as large as it is said to be.
        headers = {"Accept-Encoding": "identity"}
        self._session = aiohttp.ClientSession(connector=connector, headers=headers)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def ping(self) -> None:
        """Return when Docker answers. Raise DockerGoneError.

        It is asked every few seconds by health checks, and in the fewest words.
        """
        async with self.connected():
            pass

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncio.StreamReader]:
        """Lend a connection on which Docker has answered. It stays open while that Docker is there.
        Raise DockerGoneError."""
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(_PING_SECONDS):
                reader, writer = await asyncio.open_unix_connection(self._socket)
                writer.write(_PING)
                line = await reader.readline()
            if line.split()[1:2] != [b"200"]:
                raise DockerGoneError(f"it answered {line[:60]!r}")
            yield reader
        except OSError as error:
            raise DockerGoneError(f"{type(error).__name__}: {error}") from error
        finally:
            if writer is not None:
                writer.close()

    async def version(self) -> dict[str, Any]:
        """Return what Docker says of its version."""
        async with self._answer("GET", "/version") as answer:
            return dict(await answer.json())

    async def lacking(self) -> frozenset[str]:
        """Return the limits that Docker here cannot set, for want of a control group."""
        if self._lacking is None:
            said = await self.call("GET", "/info")
            self._lacking = frozenset(name for name in LIMITS if not said.get(name))
        return self._lacking

    async def call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        seconds: float | None = ANSWER_SECONDS,
    ) -> Any:
        """Return Docker's answer as what its JSON says, None if it has none.

        A body of bytes is sent as a tar archive, any other as JSON. Raise DockerError or
        DockerGoneError.
        """
        async with self.stream(method, path, query, body, seconds=seconds) as answer:
            text = await answer.read()
            return json.loads(text) if text else None

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        seconds: float | None = None,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Lend Docker's answer while its body is read, for `seconds` at most, or without end."""
        prefix = self._version or await self._negotiated()
        async with self._answer(method, prefix + path, query, body, seconds) as answer:
            yield answer

    async def _negotiated(self) -> str:
        said = await self.version()
        newest = tuple(map(int, said["ApiVersion"].split(".")))
        oldest = tuple(map(int, said.get("MinAPIVersion", "1.12").split(".")))
        if newest < OLDEST or oldest > NEWEST:
            raise DockerGoneError(
                f"Docker speaks API {oldest} to {newest}, the guard {OLDEST} to {NEWEST}"
            )
        major, minor = min(newest, NEWEST)
        self._version = f"/v{major}.{minor}"
        return self._version

    @asynccontextmanager
    async def _answer(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        seconds: float | None = ANSWER_SECONDS,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = {}
        data = None
        if isinstance(body, bytes):
            data, headers["Content-Type"] = body, "application/x-tar"
        elif body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=5)
        try:
            async with self._session.request(
                method, f"http://docker{path}", params=query, data=data, headers=headers,
                timeout=timeout, allow_redirects=False,
            ) as answer:  # fmt: skip
                if answer.status >= 400:
                    raise DockerError(answer.status, _message(await answer.read()))
                yield answer
        except (aiohttp.ClientError, TimeoutError) as error:
            # It may come back as another version.
            self._version, self._lacking = "", None
            raise DockerGoneError(f"{type(error).__name__}: {error}") from error


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body[:200].decode(errors="replace")
