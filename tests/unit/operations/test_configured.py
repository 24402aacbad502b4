"""Files that are written, kept and shown: decided by values, and the script run for real."""

from __future__ import annotations

import base64
import grp
import os
import pwd
import subprocess
from pathlib import Path

import pytest

from clup.facts.paths import Paths, PathState, Text
from clup.operations.files import _WRITE, File, configured
from tests.unit.operations.planning import evaluate

USER = pwd.getpwuid(os.getuid()).pw_name
GROUP = grp.getgrgid(os.getgid()).gr_name
FSTAB = "/etc/fstab"
LINE = "LABEL=CLAW_DATA /srv/data ext4 noatime 0 2\n"
THEIRS = "//nas/x /mnt cifs user=psy,password=hunter2 0 0\n"


@pytest.mark.parametrize(
    ("kind", "there", "edited", "mode"),
    [
        ("file", "0600", True, "0600"),
        ("file", "0640", True, "0640"),
        ("file", "0644", True, "0644"),
        ("file", "0660", True, "0640"),
        ("file", "0777", True, "0644"),
        # What a link leads to may be as secret as can be.
        ("link", "0777", True, "0600"),
        # A file that is all ours has nothing in it that others wrote.
        ("file", "0600", False, "0644"),
    ],
)
def test_an_edited_file_keeps_a_stricter_mode(
    kind: str, there: str, edited: bool, mode: str
) -> None:
    state = PathState(kind, there, "psy", "users")
    file = File(FSTAB, LINE, edited=edited)
    assert file.owner(state) == ("root", "root", mode)
    assert file.owner(None) == ("root", "root", "0644")
    after = PathState("file", mode, "root", "root", sha256=file.sha256)
    assert file.is_converged(after)


def test_the_diff_of_an_edited_file_shows_what_changes_and_no_secret() -> None:
    there = PathState("file", "0600", "root", "root", sha256="other")
    file = File(FSTAB, THEIRS + LINE, edited=True)
    facts = {Paths: {FSTAB: there}, Text: THEIRS}
    steps, notes = evaluate(configured, facts, files=[file])
    assert f"sh {FSTAB} root root 0600" in steps[0]
    assert f"+{LINE.strip()}" in notes.diffs[0]
    assert "nas" not in notes.diffs[0]
    # Where a line with a secret changes, too.
    swapped = {**facts, Text: THEIRS.replace("user=psy", "user=amy")}
    _steps, notes = evaluate(configured, swapped, files=[file])
    assert "+//nas/x /mnt cifs user=psy,password=*** 0 0" in notes.diffs[0]
    assert "hunter2" not in str(notes)


def test_a_plan_counts_the_lines_of_clups_own_program() -> None:
    file = File("/usr/local/lib/clup/some.py", "one\ntwo\n", program=True)
    steps, notes = evaluate(configured, {Paths: {file.path: None}}, files=[file])
    assert f"sh {file.path} root root 0644" in steps[0]
    assert notes.diffs == []
    assert notes.evidence == [f"{file.path}: 2 lines of clup's own program would be written"]


def write(path: Path, content: str, validate: str = "") -> int:
    """Run the script that puts a file in place; return its status."""
    words = ["sh", "-c", _WRITE, "sh", str(path), USER, GROUP, "0644", validate]
    packed = base64.b64encode(content.encode())
    return subprocess.run(words, input=packed, capture_output=True, check=False).returncode


def test_each_former_text_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for number in range(5):
        assert write(path, str(number)) == 0
    assert path.read_text() == "4"
    kept = sorted(other.read_text() for other in tmp_path.glob("file.bak.*"))
    assert kept == ["0", "1", "2", "3"]


def test_what_a_killed_run_left_goes_with_the_next(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert write(path, "new", 'kill -9 "$PPID"') != 0
    other = tmp_path / ".clup.file.d.ABCDEF"
    other.touch()
    assert len(list(tmp_path.iterdir())) == 2
    assert write(path, "new") == 0
    assert sorted(tmp_path.iterdir()) == [other, path]
