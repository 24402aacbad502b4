"""Who may write what is made in a folder, read from a real one."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest

from clup.facts.acl import DefaultWriters

OWNER, USER, GROUP, MASK, OTHER, NOBODY = 1, 2, 4, 16, 32, 0xFFFFFFFF


def entries(*named: tuple[int, int]) -> bytes:
    """Given users' ids and what they may, return a default list as the kernel takes it."""
    users = [(USER, may, who) for who, may in named]
    rest = [(GROUP, 5, NOBODY), (MASK, 7, NOBODY), (OTHER, 5, NOBODY)]
    said = [(OWNER, 7, NOBODY), *users, *rest]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in said)


@pytest.mark.parametrize(
    ("named", "expected"),
    [(None, []), ([], []), ([(2010, 7)], [2010]), ([(2010, 5), (2013, 7)], [2013])],
)
def test_who_may_do_all(
    tmp_path: Path, named: list[tuple[int, int]] | None, expected: list[int]
) -> None:
    if named is not None:
        os.setxattr(tmp_path, "system.posix_acl_default", entries(*named))
    command = DefaultWriters().command(str(tmp_path)).get_raw_value()
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert DefaultWriters().process(done.stdout.splitlines()) == expected
