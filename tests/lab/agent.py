"""An agent at the runner of a lab machine: the official SDK's client of MCP, through ssh."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from clup import lab
from services.runner.tools import STATUS

GOES_ON = f"ask {STATUS} for its end"
SECONDS = 600


@contextmanager
def tunnel(box: lab.Lab) -> Iterator[str]:
    """Given a lab, lend the address of its runner on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    *ssh, target = lab.ssh_argv(box)
    words = [*ssh, "-o", "ExitOnForwardFailure=yes", "-N", "-L", f"{port}:127.0.0.1:18888", target]
    with subprocess.Popen(words) as process:
        try:
            until = time.monotonic() + 30
            while not _is_open(port):
                assert time.monotonic() < until
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def tools(url: str, token: str) -> list[str]:
    """Return the names of the tools that a token is shown."""

    async def ask() -> list[str]:
        async with _client(url, token) as client:
            return [tool.name for tool in (await client.list_tools()).tools]

    return asyncio.run(ask())


def ran(url: str, token: str, tool: str, **given: str) -> tuple[bool, str]:
    """Call a tool and wait for its job's end; return whether it is an error, and what it says."""

    async def ask() -> tuple[bool, str]:
        async with _client(url, token) as client:
            said = await client.call_tool(tool, given)
            until = time.monotonic() + SECONDS
            while GOES_ON in _text(said):
                assert time.monotonic() < until
                said = await client.call_tool(STATUS, {"id": said.structured_content["id"]})
            return bool(said.is_error), _text(said)

    return asyncio.run(ask())


def status(url: str, token: str) -> int:
    """Return the HTTP status that a token is answered with."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.post(f"{url}/mcp", json={}, headers=headers, trust_env=False).status_code


def _is_open(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@asynccontextmanager
async def _client(url: str, token: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(headers=headers, trust_env=False, timeout=90) as http:
        transport = streamable_http_client(f"{url}/mcp", http_client=http)
        async with Client(transport) as client:
            yield client


def _text(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text
