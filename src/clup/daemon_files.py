"""The texts of Docker's daemon.json and containerd's config.toml: edited, not replaced.

What someone else wrote there stays. A file that already says what it should is returned as it
is, to the last blank.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from clup.settings import merge

DAEMON_JSON = "/etc/docker/daemon.json"
CONTAINERD_TOML = "/etc/containerd/config.toml"

# Docker does not use containerd's Kubernetes part, which would listen on a port of its own.
_NEW_TOML = """version = 2
root = {root}
disabled_plugins = ["io.containerd.grpc.v1.cri"]

[plugins."io.containerd.internal.v1.opt"]
  path = {opt}
"""


class UnreadableError(ValueError):
    """A file's text is not what its path says it is, and so cannot be edited."""

    def __init__(self, path: str, reason: str):
        self.path = path
        self.reason = reason
        super().__init__(f"{path} {reason}")


def daemon_json(before: str | None, keys: Mapping[str, Any]) -> str:
    """Given the text of daemon.json or None, return it with those keys, mappings merged deeply.

    Raise UnreadableError when the text is no JSON object.
    """
    found = keys_in_json(before)
    merged = merge(found, keys)
    return before if before and merged == found else json.dumps(merged, indent=2) + "\n"


def root_in_json(text: str | None) -> str | None:
    """Given the text of daemon.json or None, return its data-root, by its old name too."""
    found = keys_in_json(text)
    root = found.get("data-root") or found.get("graph")
    return root if isinstance(root, str) else None


def containerd_toml(before: str | None, root: str) -> str:
    """Given the text of config.toml or None, return it with that root.

    Raise UnreadableError when the text is no TOML, or its root cannot be set without risk.
    """
    if before is None:
        # A JSON string is a TOML string too.
        return _NEW_TOML.format(root=json.dumps(root), opt=json.dumps(f"{root}/opt"))
    found = _table(before)
    if found.get("root") == root:
        return before
    line = f"root = {json.dumps(root)}"
    # Keys of the top level come before all tables, so the first root is the one that is meant.
    if "root" in found:
        after = re.sub(r"(?m)^\s*root\s*=.*$", lambda _: line, before, count=1)
    else:
        after = f"{line}\n{before}"
    if _table(after) != {**found, "root": root}:
        raise UnreadableError(CONTAINERD_TOML, "has a root that cannot be set on its own")
    return after


def root_in_toml(text: str | None) -> str | None:
    """Given the text of config.toml or None, return its root.

    Raise UnreadableError when the text is no TOML.
    """
    root = _table(text or "").get("root")
    return root if isinstance(root, str) else None


def keys_in_json(text: str | None) -> dict[str, Any]:
    """Given the text of daemon.json or None, return its keys.

    Raise UnreadableError when the text is no JSON object.
    """
    if text is None or not text.strip():
        return {}
    _is_utf8(DAEMON_JSON, text)
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UnreadableError(DAEMON_JSON, f"is no JSON ({error})") from None
    if not isinstance(found, dict):
        raise UnreadableError(DAEMON_JSON, "is no JSON object")
    return found


def _is_utf8(path: str, text: str) -> None:
    """Raise UnreadableError if a text has lone surrogates, for bytes that are no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise UnreadableError(path, f"has bytes that are no UTF-8, in line {line}") from None


def _table(text: str) -> dict[str, Any]:
    _is_utf8(CONTAINERD_TOML, text)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnreadableError(CONTAINERD_TOML, f"is no TOML ({error})") from None
