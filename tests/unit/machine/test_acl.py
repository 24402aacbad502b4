"""Access control lists in which one account takes the place of another, on real files."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from clup.machine.acl import LISTS, main

ACCESS, DEFAULT = LISTS
OWNER, USER, GROUP, MASK, OTHER, NOBODY = 1, 2, 4, 16, 32, 0xFFFFFFFF
RUNNER, GUARD, PSY = 2010, 2011, 2000


def given(path: Path, name: str, *named: tuple[int, int]) -> None:
    """Give a path a list in which named users may do something."""
    users = [(USER, may, who) for who, may in named]
    rest = [(GROUP, 5, NOBODY), (MASK, 7, NOBODY), (OTHER, 5, NOBODY)]
    said = [(OWNER, 7, NOBODY), *users, *rest]
    data = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *each) for each in said)
    os.setxattr(path, name, data)


def users(path: Path, name: str) -> list[tuple[int, int]]:
    """Return named users and what they may do at a path; none where it has no list."""
    try:
        data = os.getxattr(path, name)[4:]
    except OSError:
        return []
    return [(who, may) for tag, may, who in struct.iter_unpack("<HHI", data) if tag == USER]


def test_the_one_takes_the_others_place_and_nothing_else_changes(tmp_path: Path) -> None:
    cache, outside = tmp_path / "cache", tmp_path / "outside"
    folder = cache / "m2/org"
    folder.mkdir(parents=True)
    outside.mkdir()
    jar, plain = folder / "a.jar", folder / "b.jar"
    for path in (jar, plain, outside / "file"):
        path.touch()
    (cache / "link").symlink_to(outside)
    (folder / "link.jar").symlink_to(outside / "file")
    given(cache, DEFAULT, (RUNNER, 7), (GUARD, 7))
    for name in LISTS:
        given(folder, name, (PSY, 5), (RUNNER, 7))
        given(outside, name, (RUNNER, 7))
    for path in (jar, outside / "file"):
        given(path, ACCESS, (RUNNER, 6))
    main((str(cache), str(RUNNER), str(GUARD)))
    assert users(cache, DEFAULT) == [(GUARD, 7)]
    for name in LISTS:
        assert users(folder, name) == [(PSY, 5), (GUARD, 7)]
        assert users(outside, name) == [(RUNNER, 7)]
    assert users(jar, ACCESS) == [(GUARD, 6)]
    assert users(outside / "file", ACCESS) == [(RUNNER, 6)]
    assert users(plain, ACCESS) == []
