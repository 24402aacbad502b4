"""A few files for a machine, as a tar archive: the one form both an image and `docker cp` take."""

import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One path of the archive: a file with content, a link to a target, or else a directory."""

    path: str
    mode: int
    content: bytes | None = None
    link: str | None = None
    owner: int = 0


def member(entry: Entry) -> tarfile.TarInfo:
    """Given an entry, return its tar header. Its time is constant: equal trees are equal bytes."""
    info = tarfile.TarInfo(entry.path)
    info.mode = entry.mode
    info.uid = info.gid = entry.owner
    if entry.link is not None:
        info.type = tarfile.SYMTYPE
        info.linkname = entry.link
    elif entry.content is None:
        info.type = tarfile.DIRTYPE
    else:
        info.size = len(entry.content)
    return info


def add(archive: tarfile.TarFile, entries: Iterable[Entry]) -> None:
    """Given an archive open for writing and entries, append them."""
    for entry in entries:
        content = None if entry.content is None else io.BytesIO(entry.content)
        archive.addfile(member(entry), content)


def packed(entries: Iterable[Entry]) -> bytes:
    """Given entries, return them as the bytes of a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        add(archive, entries)
    return buffer.getvalue()
