"""Connections that say nothing, or not enough, keep nobody from being answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest

from services.runner import connections
from tests.unit.services.runner.runners import Running, token
from tests.unit.services.runner.stories import told

POST = b"POST /v1/jobs/run HTTP/1.1\r\nHost: it\r\nContent-Length: 9\r\n\r\n"
ANSWERED = b"GET /v1/jobs HTTP/1.1\r\nHost: it\r\n\r\n"
# What is said on a connection that then waits.
SAID = {
    "nothing": b"",
    "half a head": POST[:30],
    "half a body": POST + b"{",
    "a request and half a head": ANSWERED + POST[:30],
}
Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def said(it: Running, words: bytes) -> Pipe:
    """Open a connection, say words on it, and read the answer where they are a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", httpx2.URL(it.url).port)
    writer.write(words)
    if words.startswith(ANSWERED):
        assert (await reader.readline()).startswith(b"HTTP/1.1 401")
    return reader, writer


async def ended(pipe: Pipe) -> None:
    """Return when the other end of a connection has ended it."""
    reader, writer = pipe
    try:
        while await reader.read(4096):
            pass
    except ConnectionResetError:
        pass
    writer.close()


async def status(it: Running) -> int:
    """Return what somebody is answered who comes anew."""
    async with httpx2.AsyncClient(trust_env=False, timeout=5) as somebody:
        return (await somebody.get(f"{it.url}/healthz")).status_code


@pytest.mark.parametrize("words", SAID.values(), ids=SAID)
def test_who_waits_for_ever_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.5)

    async def story(it: Running) -> None:
        pipes = [await said(it, words) for _ in range(20)]
        if words == SAID["a request and half a head"]:
            # Only what comes after the answer begins the time.
            for _, writer in pipes:
                writer.write(b"X")
        assert await status(it) == 200
        async with asyncio.timeout(5):
            await asyncio.gather(*(ended(pipe) for pipe in pipes))
        assert await status(it) == 200

    told(tmp_path, story)


@pytest.mark.parametrize("words", [*SAID.values(), ANSWERED], ids=[*SAID, "a request"])
def test_any_number_may_wait_and_others_are_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    monkeypatch.setattr(connections, "MOST_WAITING", 8)
    monkeypatch.setitem(connections.SERVED, "limit_concurrency", 16)

    async def story(it: Running) -> None:
        follower = asyncio.create_task(it.end(await it.run("quick")))
        await it.end(await it.run("quick"))
        pipes = [await said(it, words) for _ in range(40)]
        assert [await status(it) for _ in range(3)] == [200] * 3
        async with asyncio.timeout(5):
            await asyncio.gather(*(ended(pipe) for pipe in pipes[:32]))
        assert (await follower)["state"] == "succeeded"
        for _, writer in pipes:
            writer.close()

    told(tmp_path, story)


def test_many_that_were_answered_at_once_make_room_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_WAITING", 8)
    monkeypatch.setitem(connections.SERVED, "limit_concurrency", 16)

    async def story(it: Running) -> None:
        job = await it.run("long")
        wait = f"GET /v1/jobs/{job}?wait=1 HTTP/1.1\r\nHost: it\r\n"
        words = f"{wait}Authorization: Bearer {token('gateway')}\r\n\r\n".encode()
        pipes = [await said(it, words) for _ in range(13)]
        await asyncio.sleep(0.3)
        more = [await said(it, b"") for _ in range(8)]
        for reader, _ in pipes:
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        assert [await status(it) for _ in range(3)] == [200] * 3
        for _, writer in pipes + more:
            writer.close()

    told(tmp_path, story, followers=64)


async def wait(it: Running, job: str) -> None:
    answer = await it.client().get(f"/v1/jobs/{job}?wait=2")
    assert (answer.status_code, answer.json()["state"]) == (200, "running")


async def follow(it: Running, job: str) -> None:
    asked = it.client().stream("GET", f"/v1/jobs/{job}/logs?follow=1")
    async with asked as answer, asyncio.timeout(2.5):
        assert answer.status_code == 200
        async for _ in answer.aiter_raw():
            pass
        pytest.fail("the stream was ended")


@pytest.mark.parametrize("stay", [wait, follow])
def test_who_stays_for_an_answer_is_not_ended(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stay: Callable[[Running, str], Awaitable[None]],
) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.3)
    monkeypatch.setattr(connections, "MOST_WAITING", 2)

    async def story(it: Running) -> None:
        job = await it.run("long")
        staying = asyncio.ensure_future(stay(it, job))
        await asyncio.sleep(0.5)
        pipes = [await said(it, b"") for _ in range(5)]
        try:
            await staying
        except TimeoutError:
            assert stay is follow
        for _, writer in pipes:
            writer.close()

    told(tmp_path, story)
