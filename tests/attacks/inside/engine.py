"""Docker as the host sees it, over its socket: not through the guard."""

from __future__ import annotations

import http.client
import json
import socket
import time
import urllib.parse
from contextlib import suppress
from typing import Any

SOCKET = "/run/docker.sock"


class GoneError(RuntimeError):
    """Docker has no such thing, or no longer."""


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(SOCKET)


def ask(method: str, path: str, **query: str) -> Any:
    """Return Docker's answer as values; of lines of JSON, a list."""
    connection = _Connection("docker")
    connection.request(method, f"{path}?{urllib.parse.urlencode(query)}")
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    if answer.status == 404:
        raise GoneError(f"{method} {path}: {text}")
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path}: {answer.status} {text}")
    if path == "/events":
        return [json.loads(line) for line in text.splitlines()]
    return json.loads(text) if text.startswith(("{", "[")) else text


def containers() -> list[Any]:
    """Return what Docker shows of every container, in all states, that does not go meanwhile."""
    found = []
    for each in ask("GET", "/containers/json", all="1"):
        with suppress(GoneError):
            found.append(ask("GET", f"/containers/{each['Id']}/json"))
    return found


def events(since: float) -> list[Any]:
    """Return what happened since a time of the host's clock."""
    return list(ask("GET", "/events", since=f"{since:.6f}", until=f"{time.time():.6f}"))


def remove(full_id: str) -> None:
    """Remove a container with its volume, running or not."""
    ask("DELETE", f"/containers/{full_id}", force="1", v="1")


def folder(container: Any, target: str) -> str:
    """Return where on the host a container's mount is."""
    return str(next(m["Source"] for m in container["Mounts"] if m["Destination"] == target))
