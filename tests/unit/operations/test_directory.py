"""The script that converges a folder, run for real with folders of one's own."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from pathlib import Path

import pytest

from clup.operations.files import _DIRECTORY

USER = pwd.getpwuid(os.getuid()).pw_name
GROUP = grp.getgrgid(os.getgid()).gr_name


def converge(path: Path, mode: str, mount: str = "") -> str:
    """Run the script; return its complaint, empty when it succeeded."""
    words = ["sh", "-c", _DIRECTORY, "sh", str(path), USER, GROUP, mode, mount]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert bool(done.returncode) == bool(done.stderr)
    return done.stderr


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.mark.parametrize(
    ("before", "wanted", "after"),
    [
        (None, "0750", 0o750),
        (0o700, "0755", 0o755),
        (0o2755, "0755", 0o755),  # chmod with four digits keeps the setgid bit of a folder
        (0o755, "2750", 0o2750),
        (0o1777, "0700", 0o700),
    ],
)
def test_the_mode_is_exact(tmp_path: Path, before: int | None, wanted: str, after: int) -> None:
    path = tmp_path / "folder"
    if before is not None:
        path.mkdir()
        path.chmod(before)
        (path / "file").touch(mode=0o640)
    assert converge(path, wanted) == ""
    assert mode(path) == after
    assert before is None or mode(path / "file") == 0o640


def test_a_new_folder_in_a_setgid_one(tmp_path: Path) -> None:
    tmp_path.chmod(0o2755)
    assert converge(tmp_path / "new", "0700") == ""
    assert mode(tmp_path / "new") == 0o700


def test_a_link_is_left_alone(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (tmp_path / "folder").symlink_to(elsewhere)
    assert "is a link" in converge(tmp_path / "folder", "0755")
    assert mode(elsewhere) == 0o700


def test_a_folder_below_a_link_is_converged(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert converge(tmp_path / "link/new", "0700") == ""
    assert mode(tmp_path / "real/new") == 0o700


def test_nothing_is_made_while_the_disk_is_away(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    assert f"{tmp_path} is not mounted" in converge(path, "0700", mount=str(tmp_path))
    assert not path.exists()
    assert converge(path, "0700", mount="/proc") == ""
