"""Gives an account the place of another in all access control lists of a folder and below it.

Others may write there meanwhile: no link is followed, and it is gone through until nothing is
found. The lists are read and written as the kernel has them (linux/posix_acl_xattr.h), without
further packages: after a version of four bytes, entries of tag, permissions and id, little-endian.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress

LISTS = ("system.posix_acl_access", "system.posix_acl_default")
_ENTRY = "<HHI"
_USER = 2


def replaced(data: bytes, former: int, successor: int) -> bytes:
    """Given a list, return it with the one user's entry as the other's; if that one has an entry,
    without."""
    entries = list(struct.iter_unpack(_ENTRY, data[4:]))
    has_own = any((tag, who) == (_USER, successor) for tag, _, who in entries)
    changed = [
        (tag, may, successor) if (tag, who) == (_USER, former) else (tag, may, who)
        for tag, may, who in entries
        if not (has_own and (tag, who) == (_USER, former))
    ]
    return data[:4] + b"".join(struct.pack(_ENTRY, *each) for each in changed)


def replace(root: str, former: int, successor: int) -> int:
    """Replace a user in all lists below a folder, and return in how many. Raise OSError."""
    count = 0
    for path in _paths(root):
        for name in LISTS:
            try:
                data = os.getxattr(path, name, follow_symlinks=False)
            except OSError:
                continue
            wanted = replaced(data, former, successor)
            if wanted != data:
                count += 1
                with suppress(FileNotFoundError):
                    os.setxattr(path, name, wanted, follow_symlinks=False)
    return count


def _paths(root: str) -> Iterator[str]:
    """Yield a path to each folder and file, good while its folder is open."""
    for _, _, files, descriptor in os.fwalk(root):
        for name in (".", *files):
            yield f"/proc/self/fd/{descriptor}/{name}"


def main(words: Sequence[str]) -> None:
    """Do so in the folder, of the user id, for the user id that are given."""
    root, former, successor = words
    while replace(root, int(former), int(successor)):
        continue


if __name__ == "__main__":
    main(sys.argv[1:])
