"""The document of `--json`: one shape, whatever the command and however it ended."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any


def document(
    command: str,
    code: int,
    hosts: Mapping[str, Mapping[str, Any]] | None = None,
    error: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Given what a command found out, return its document.

    Each host, of which there may be none, has `errors`, a list of lines, and `commands`, how many
    were run on it. `error` is the line that says why the whole command failed, and is left out
    when it did not.
    """
    every = {name: {"errors": [], "commands": 0, **known} for name, known in (hosts or {}).items()}
    failure = {"error": error} if error else {}
    return {"command": command, "exit": code, "hosts": every, **failure, **more}


def write(document: Mapping[str, Any]) -> None:
    """Print a document, the only thing that goes to stdout."""
    sys.stdout.write(json.dumps(document, indent=2, default=str) + "\n")
    sys.stdout.flush()


def command_in(words: list[str]) -> str:
    """Given the words after `clup`, return which command they name, as far as they name one."""
    named = [word for word in words if not word.startswith("-")]
    groups = (["lab", "disk"], ["lab"], ["stack"], ["bundle"], ["job"], ["audit"])
    depth = next((len(group) for group in groups if named[: len(group)] == group), 0)
    return " ".join(named[: depth + 1])
