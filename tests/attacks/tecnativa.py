"""A model of tecnativa/docker-socket-proxy, by the rules that its version 0.4.1 documents.

A model: it tells which requests would be handed on to Docker, by method and path. It was not run.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

_ALWAYS = ("_ping", "events", "version")
SEED = frozenset({"CONTAINERS", "IMAGES"})
"""What the seed turns on."""
JOBS = SEED | {"POST"}
"""What running a job through it would need."""


def hands_on(method: str, target: str, *, switches: frozenset[str]) -> bool:
    """Given a request's method and target, and what is turned on, return whether Docker gets it."""
    if method not in ("GET", "HEAD") and "POST" not in switches:
        return False
    path = unquote(target.partition("?")[0])
    if found := re.match(r"(?:/v[0-9.]+)?/([a-z_]+)", path):
        return found[1] in _ALWAYS or found[1].upper() in switches
    return False
