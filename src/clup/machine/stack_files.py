"""The files of a stack: in the desired-state folder, and where they are read while it runs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clup.machine.process import say

File = Mapping[str, Any]
"""`live` and `tree` are its two paths, `placed` how the first comes from the second: "link" or
"copy"; then `content` and `mode`, octal."""


def place(files: Sequence[File]) -> None:
    """Put files into the desired-state folder, and have their live paths lead there.

    What somebody else put at a live path is kept beside it.
    """
    for each in files:
        tree = Path(each["tree"])
        former = tree.read_bytes() if tree.is_file() else None
        write(tree, each["content"].encode(), int(each["mode"], 8))
        show(each, former)


def show(each: File, former: bytes | None = None) -> None:
    """Have the live path of a file be a link to the desired-state folder, or a copy of its file.

    A source that is missing is passed over. A copy of its `former` content is clup's own.
    """
    live, tree = Path(each["live"]), Path(each["tree"])
    if not tree.is_file():
        say(f"skip: {tree} is missing")
        return
    make_folders(live.parent)
    if each["placed"] == "link" and _is_link(live, tree):
        return
    there = live.read_bytes() if live.is_file() and not live.is_symlink() else None
    is_own = there in (tree.read_bytes(), former) if there is not None else _is_link(live, tree)
    if not is_own:
        keep(live)
    if each["placed"] == "copy":
        write(live, tree.read_bytes(), int(each["mode"], 8))
        return
    candidate = beside(live)
    candidate.symlink_to(tree)
    candidate.replace(live)
    sync_folder(live.parent)


def _is_link(live: Path, tree: Path) -> bool:
    return live.is_symlink() and live.readlink() == tree


def keep(path: Path) -> None:
    """Keep what is at a path, if anything, beside it as PATH.bak.<UTC timestamp>."""
    if not os.path.lexists(path):
        return
    if path.is_dir() and not path.is_symlink():
        raise OSError(f"{path} is a folder; see what is in it and move it away")
    kept = path.with_name(f"{path.name}.bak.{datetime.now(UTC):%Y%m%d-%H%M%S}")
    while os.path.lexists(kept):
        kept = kept.with_name(f"{kept.name}-2")
    if path.is_symlink():
        kept.symlink_to(path.readlink())
    else:
        kept.hardlink_to(path)
    say(f"kept {path} as {kept}")


def write(path: Path, data: bytes, mode: int) -> None:
    """Write a file of root's: its data are on the disk before its name."""
    make_folders(path.parent)
    candidate = beside(path)
    descriptor = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        candidate.replace(path)
    except OSError:
        with suppress(FileNotFoundError):
            candidate.unlink()
        raise
    sync_folder(path.parent)


def make_folders(path: Path) -> None:
    """Make a folder and those above it that are missing; each is root's, and all may enter."""
    if not path.is_dir():
        make_folders(path.parent)
        path.mkdir(mode=0o755)
        path.chmod(0o755)


def beside(path: Path) -> Path:
    """Return a name beside a path, with nothing there: what a cut run left under it goes."""
    candidate = path.with_name(f".clup.{path.name}.new")
    candidate.unlink(missing_ok=True)
    return candidate


def sync_folder(path: Path) -> None:
    """Have the names in a folder on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
