"""The files that a job left in /work/artifacts, taken out of the guard's tar archive.

Whatever wrote that archive is not trusted: only regular files are taken, with plain names, bounded
in number and bytes, and each is written anew. So there are no links, devices, holes, owners and
modes of the job's in what is kept. It is written through to the disk, as the container goes after.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from services.runner.durable import sync_folders

FOLDER = "artifacts"

MOST_FILES = 1000
_DEEPEST = 16
_LONGEST_PART = 200
_LONGEST = 1000
_TOLD = 20
"""Refusals that are told; the rest is counted."""


@dataclass(frozen=True)
class Member:
    """An entry of an archive: its name as it stands there, what it is, and its bytes."""

    name: str
    kind: str
    size: int


@dataclass
class Collected:
    """What was taken, and why the rest was not."""

    files: int = 0
    bytes: int = 0
    refused: list[str] = field(default_factory=list)
    refusals: int = 0

    def refuse(self, name: str, reason: str) -> None:
        """Note that an entry was not taken."""
        self.refusals += 1
        if len(self.refused) < _TOLD:
            self.refused.append(f"{_shown(name)}: {reason}")

    def told(self) -> tuple[str, ...]:
        """Return the refusals in words."""
        more = self.refusals - len(self.refused)
        return (*self.refused, *([f"and {more} more"] if more else []))


def place(name: str) -> tuple[str, ...] | str:
    """Given an entry's name, return the parts of its place below the folder of artifacts, or the
    reason why it has none. The archive's own folder, its first part, is left out."""
    parts = [part for part in name.split("/") if part not in ("", ".")][1:]
    if name.startswith("/") or ".." in parts:
        return "its name leads elsewhere"
    if len(parts) > _DEEPEST or len(name) > _LONGEST or any(len(p) > _LONGEST_PART for p in parts):
        return "its name is too long"
    if not all(part.isprintable() and part.isascii() for part in parts):
        return "its name has other characters than printable ASCII"
    return tuple(parts)


def judge(member: Member, collected: Collected, limit: int) -> str | None:
    """Given an entry, what was taken before it and the most bytes of all, return why it is not
    taken; None when it is."""
    if member.kind != "file":
        return f"is no regular file but a {member.kind}"
    if collected.files >= MOST_FILES:
        return f"there are more than {MOST_FILES} files"
    if collected.bytes + member.size > limit:
        return f"all together would have more than {limit} bytes"
    return None


def extract(archive: Path, folder: Path, limit: int) -> Collected:
    """Take the files out of an archive into a folder that is made for them, `limit` bytes at most.

    Raise tarfile.TarError for what is no archive, OSError when the disk does not take them.
    """
    collected = Collected()
    if archive.stat().st_size < tarfile.BLOCKSIZE:
        # Shorter than the first header: nothing was left, or Docker said in words why it broke off.
        if said := archive.read_bytes().decode(errors="replace").strip("\0 \r\n"):
            raise tarfile.ReadError(f"is no archive but {_shown(said)}")
        return collected
    with archive.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
        for entry in tar:
            # It would keep every entry that it has read, of which there may be many.
            tar.members.clear()  # type: ignore[attr-defined]
            parts = place(entry.name)
            member = Member(entry.name, _kind(entry), entry.size)
            if parts == () or (member.kind == "folder" and not isinstance(parts, str)):
                continue
            reason = parts if isinstance(parts, str) else judge(member, collected, limit)
            content = None if reason else tar.extractfile(entry)
            if reason or content is None:
                collected.refuse(entry.name, reason or "has no content")
                continue
            _take(content, folder.joinpath(*parts), collected, member)
    if collected.files:
        sync_folders(folder)
    return collected


def _take(content: IO[bytes], path: Path, collected: Collected, member: Member) -> None:
    """Write a file. Nothing but these files and their folders is below, so no name leads away."""
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        file = path.open("xb")
    except (FileExistsError, NotADirectoryError):
        collected.refuse(member.name, "its name is taken by another")
        return
    with file:
        path.chmod(0o640)
        shutil.copyfileobj(content, file, 2**20)
        file.flush()
        os.fsync(file.fileno())
    collected.files += 1
    collected.bytes += member.size


_KINDS = {
    tarfile.SYMTYPE: "symbolic link",
    tarfile.LNKTYPE: "hard link",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.FIFOTYPE: "pipe",
    tarfile.DIRTYPE: "folder",
}


def _kind(entry: tarfile.TarInfo) -> str:
    if entry.issparse():
        return "file with holes"
    return "file" if entry.isreg() else _KINDS.get(entry.type, "special file")


def _shown(name: str) -> str:
    text = name if name.isprintable() else repr(name)
    return text if len(text) <= 100 else text[:97] + "..."


def listing(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the name and the bytes of each file that was taken into a folder, in order."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix(), path.stat().st_size
