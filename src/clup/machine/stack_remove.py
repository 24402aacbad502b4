"""A stack taken down: what it leaves, and what goes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from clup.machine import stack_reading as reading
from clup.machine.process import FailedError, RefusedError, run, say
from clup.machine.stack_compose import reason
from clup.machine.stack_tree import commit


def remove(order: Mapping[str, Any]) -> None:
    """Take a stack down: its containers and networks go, its volumes and what is mounted stay."""
    name: str = order["name"]
    folder = reading.FOLDER / name
    if reading.is_active():
        there = [each for each in reading.containers() if each["project"] == name]
        if there:
            done = run(
                "docker", "compose", "--project-name", name, "down", seconds=240, HOME="/root"
            )
            if done.returncode != 0:
                raise FailedError(f"stack {name}: was not taken down: {reason(done.stderr)}")
    elif folder.exists():
        raise RefusedError(f"stack {name}: Docker does not run, so nothing was removed; start it")
    say(_leave(order, folder))


def _leave(order: Mapping[str, Any], folder: Path) -> str:
    """Take the files of a stack that is down out of the desired-state folder."""
    files: Sequence[Mapping[str, Any]] = []
    with suppress(FileNotFoundError, ValueError):
        files = json.loads((folder / "good.json").read_text())["files"]
    for file in files:
        live, tree = Path(file["live"]), Path(file["tree"])
        if live.is_symlink() and live.readlink() == tree:
            live.unlink()
        tree.unlink(missing_ok=True)
        with suppress(OSError):  # other stacks have files there, or it is gone
            tree.parent.rmdir()
    why = ""
    if files:
        paths = [file["tree"] for file in files]
        why = commit(order["tree"], paths, order["who"], order["revision"], order["run"])
    shutil.rmtree(folder, ignore_errors=True)
    if why:
        raise FailedError(f"stack {order['name']} is down, but that was not committed: {why}")
    return "its volumes stay, and what its containers had mounted"
