"""The guard's client: the only door to containers, and it knows nothing but jobs.

See services/README.md for what the guard offers. The runner tells it a job's name, id and
parameters; all else of the container the guard decides.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from services.jobs import names

_ANSWER_SECONDS = 30.0
_WAIT_SECONDS = 60.0
"""So long an answer to `wait` may take; then it is asked again, in case the guard hangs."""
_LARGEST = 4 * 2**20


class GuardDownError(Exception):
    """The guard, or Docker behind it, cannot be asked now. Says why."""


class FullError(GuardDownError):
    """The guard has as many containers, or as many that run, as it may: it did nothing."""


class RefusedError(Exception):
    """The guard understood and said no."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status = status


class AbsentError(RefusedError):
    """There is no such container, or no such job."""


class TakenError(RefusedError):
    """There is a container for this job already."""


@dataclass(frozen=True)
class Container:
    """A job's container as the guard tells it."""

    id: str
    state: str
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    lost: bool = False
    usage: Mapping[str, int | float] = field(default_factory=dict)

    @property
    def is_over(self) -> bool:
        """Whether it has run and runs no more."""
        return self.state in ("exited", "dead")


class Guard:
    """Asks the guard at a URL, with the key of a file."""

    def __init__(self, url: str, key_file: Path):
        self._key_file = key_file
        # Plain HTTP on a network of these two alone: no certificates, and no proxy's settings.
        self._http = httpx2.AsyncClient(
            base_url=url,
            verify=False,
            trust_env=False,
            timeout=httpx2.Timeout(_ANSWER_SECONDS, connect=5.0),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=16),
        )

    async def close(self) -> None:
        """Let go of all connections."""
        await self._http.aclose()

    async def ping(self) -> None:
        """Return when the guard and Docker behind it answer. Raise GuardDownError."""
        async with self._stream("GET", "/_ping", seconds=5.0, with_key=False) as response:
            await _read(response)

    async def version(self) -> dict[str, Any]:
        """Return what the guard says of itself."""
        return await self._object("GET", "/version")

    async def containers(self) -> list[Container]:
        """Return the containers of all jobs."""
        listed = await self._json("GET", "/containers/json")
        if not isinstance(listed, list):
            raise GuardDownError("the guard's list of containers is none")
        return [_container(each) for each in listed]

    async def create(
        self, job_id: str, job: str, parameters: Mapping[str, str | int], head: str
    ) -> None:
        """Make a job's container. Raise TakenError when there is one, RefusedError when the guard
        does not take job or parameters."""
        labels = {
            names.LABEL_JOB: job,
            names.LABEL_ID: job_id,
            names.LABEL_PARAMETERS: json.dumps(dict(parameters)),
            names.LABEL_HEAD: head,
        }
        await self._json("POST", f"/containers/create?name={job_id}", {"Labels": labels})

    async def inspect(self, job_id: str) -> Container:
        """Return a job's container. Raise AbsentError."""
        return _container(await self._object("GET", f"/containers/{job_id}/json"))

    async def start(self, job_id: str) -> None:
        """Start a job's container. Raise AbsentError, RefusedError."""
        await self._json("POST", f"/containers/{job_id}/start")

    async def wait(self, job_id: str) -> None:
        """Return when a job's container runs no more, or after a minute. Raise AbsentError."""
        path = f"/containers/{job_id}/wait"
        try:
            async with self._stream("POST", path, seconds=_WAIT_SECONDS) as response:
                await _read(response)
        except TimeoutError:
            return

    async def stop(self, job_id: str, seconds: int) -> None:
        """End a job's container: SIGTERM, and SIGKILL after so many seconds. Raise AbsentError."""
        path = f"/containers/{job_id}/stop?t={seconds}"
        await self._json("POST", path, seconds=_ANSWER_SECONDS + seconds)

    async def remove(self, job_id: str) -> None:
        """Remove a job's container; it is well when there is none."""
        try:
            await self._json("DELETE", f"/containers/{job_id}")
        except AbsentError:
            return

    async def logs(self, job_id: str) -> AsyncIterator[bytes]:
        """Yield a container's output from its beginning, as Docker's multiplexed stream, until the
        container ends. The guard sends no faster than this is read."""
        path = f"/containers/{job_id}/logs?follow=1&tail=all"
        async with self._stream("GET", path, seconds=None) as response:
            async for data in _pieces(response):
                yield data

    async def archive(self, job_id: str) -> AsyncIterator[bytes]:
        """Yield the artifacts of a container that has ended, as a tar archive. Raise AbsentError
        where it left none."""
        path = f"/containers/{job_id}/archive"
        async with self._stream("GET", path) as response:
            async for data in _pieces(response):
                yield data

    async def _object(self, method: str, path: str) -> dict[str, Any]:
        answer = await self._json(method, path)
        if not isinstance(answer, dict):
            raise GuardDownError(f"the guard's answer to {method} {path} is no JSON object")
        return answer

    async def _json(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        seconds: float = _ANSWER_SECONDS,
    ) -> Any:
        try:
            async with self._stream(method, path, body, seconds) as response:
                content = await _read(response)
        except TimeoutError as error:
            raise GuardDownError(f"the guard did not answer within {seconds:.0f} s") from error
        try:
            return json.loads(content) if content else None
        except ValueError as error:
            raise GuardDownError(f"the guard's answer to {method} {path} is no JSON") from error

    @asynccontextmanager
    async def _stream(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        seconds: float | None = _ANSWER_SECONDS,
        with_key: bool = True,
    ) -> AsyncIterator[httpx2.Response]:
        """Ask, and give the answer while it comes. Raise TimeoutError when nothing comes for so
        long, and what the status stands for."""
        timeout = httpx2.Timeout(seconds, connect=5.0)
        headers = self._headers() if with_key else {}
        try:
            async with self._http.stream(
                method, path, json=body, headers=headers, timeout=timeout
            ) as response:
                if response.status_code >= 400:
                    raise _refusal(response.status_code, await _read(response))
                yield response
        except (httpx2.ReadTimeout, httpx2.WriteTimeout) as error:
            raise TimeoutError from error
        except httpx2.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise GuardDownError(f"the guard cannot be asked: {reason}") from error

    def _headers(self) -> dict[str, str]:
        try:
            key = self._key_file.read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            reason = f"the guard's key cannot be read from {self._key_file}"
            raise GuardDownError(reason) from error
        return {"Authorization": f"Bearer {key}"}


async def _pieces(response: httpx2.Response) -> AsyncIterator[bytes]:
    async for data in response.aiter_raw():
        yield data


async def _read(response: httpx2.Response) -> bytes:
    content = bytearray()
    async for data in response.aiter_raw():
        content += data
        if len(content) > _LARGEST:
            raise GuardDownError("the guard's answer has no end")
    return bytes(content)


def _refusal(status: int, content: bytes) -> Exception:
    """Given a status and a body, return the error that they stand for."""
    reason = _reason(content) or f"status {status}"
    if status == 401:
        return GuardDownError("the guard does not take the runner's key; give both the same file")
    if status >= 500 or status == 429:
        kind = FullError if status == 429 else GuardDownError
        return kind(f"the guard cannot help now: {reason}")
    if status == 404:
        return AbsentError(status, reason)
    return (TakenError if status == 409 else RefusedError)(status, reason)


def _reason(content: bytes) -> str:
    """Return the words of a refusal: Docker's `message`, and the guard's `problems` below it."""
    try:
        said = json.loads(content)
    except ValueError:
        return content[:500].decode(errors="replace")
    if not isinstance(said, dict):
        return ""
    problems = said.get("problems")
    lines = [str(said.get("message", "")), *(problems if isinstance(problems, list) else [])]
    return "; ".join(str(line) for line in lines if line)[:2000]


def _container(said: object) -> Container:
    """Given what the guard says of a container, return it. Raise GuardDownError for anything
    else."""
    if not isinstance(said, dict) or not names.is_id(str(said.get("id"))):
        raise GuardDownError("the guard spoke of a container that is none")
    exit_code, usage = said.get("exit_code"), said.get("usage")
    numbers = usage.items() if isinstance(usage, dict) else ()
    return Container(
        id=said["id"],
        state=str(said.get("state", "")),
        exit_code=exit_code if isinstance(exit_code, int) else None,
        oom_killed=said.get("oom_killed") is True,
        error=str(said.get("error") or "")[:2000],
        lost=said.get("lost") is True,
        usage={
            str(name): value
            for name, value in numbers
            if isinstance(value, int | float) and not isinstance(value, bool)
        },
    )
