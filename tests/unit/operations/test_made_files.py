"""Keys that are made on the machine: the script and the fact, run for real, and what is decided."""

from __future__ import annotations

import grp
import os
import pwd
import re
import subprocess
from pathlib import Path

import pytest

from clup.facts.made_files import _READ, MadeFiles, MadeState
from clup.facts.paths import PathState
from clup.operations.made_files import _MAKE, Made, made
from tests.unit.operations.planning import evaluate

USER = pwd.getpwuid(os.getuid()).pw_name
GROUP = grp.getgrgid(os.getgid()).gr_name


def run(path: Path, mount: str = "/proc", what: str = "key") -> str:
    """Run the script; return its complaint, empty when it succeeded."""
    words = ["sh", "-c", _MAKE, "sh", str(path), USER, GROUP, "0440", mount, what]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert bool(done.returncode) == bool(done.stderr)
    assert done.stdout == ""
    return done.stderr


def read(*paths: Path) -> list[MadeState | None]:
    words = ["sh", "-c", _READ, "sh", *map(str, paths)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    states = MadeFiles().process(done.stdout.splitlines())
    return [states[str(path)] for path in paths]


def test_a_key_is_made_once_and_another_each_time(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    assert (run(one), run(other)) == ("", "")
    assert re.fullmatch("[0-9a-f]{64}", one.read_text())
    assert one.read_text() != other.read_text()
    assert one.stat().st_mode & 0o7777 == 0o440
    before = one.read_text()
    assert "File exists" in run(one)
    assert one.read_text() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "other"]


def test_what_a_cut_run_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / ".clup.key.new").write_text("half")
    assert run(tmp_path / "key") == ""
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_nothing_is_made_while_the_disk_is_away(tmp_path: Path) -> None:
    assert f"{tmp_path} is not mounted" in run(tmp_path / "key", mount=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_of_what_is_there_no_more_is_read_than_whether_it_is_a_key(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("key", "short", "two", "empty", "link", "folder", "none")]
    key, short, two, empty, link, folder, _none = paths
    assert (run(key), run(empty, what="empty")) == ("", "")
    short.write_text("abc\n")
    two.write_text(f"{'a' * 40}\n{'b' * 40}\n")
    link.symlink_to(key)
    folder.mkdir()
    states = read(*paths)
    assert [state and state.is_key for state in states] == [
        True, False, False, False, False, False, None,
    ]  # fmt: skip
    assert [state.path.kind for state in states if state] == [
        "file", "file", "file", "file", "link", "directory",
    ]  # fmt: skip


KEY = Made("/keys/guard", "claw-runner", "claw-guard", "0440", is_key=True)
LEDGER = Made("/ledger/heads", "claw-guard", "psy", "0640", is_key=False)


def there(made: Made, **other: str) -> MadeState:
    said = {"kind": "file", "mode": made.mode, "user": made.user, "group": made.group, **other}
    return MadeState(PathState(**said), is_key=made.is_key)


@pytest.mark.parametrize(
    ("key", "steps", "words"),
    [
        (there(KEY), 0, ""),
        (None, 2, "/keys/guard: is not there"),
        (there(KEY, mode="0644"), 2, "is claw-runner:claw-guard 0644, not"),
        (there(KEY, kind="link"), 1, "is a link, not a file"),
        (MadeState(there(KEY).path, is_key=False), 1, "holds no key"),
    ],
)
def test_what_is_to_be_done(key: MadeState | None, steps: int, words: str) -> None:
    facts = {MadeFiles: {KEY.path: key, LEDGER.path: there(LEDGER)}}
    found, notes = evaluate(made, facts, files=(KEY, LEDGER), mount="/srv/data")
    assert len(found) == steps
    assert words in str(notes)
    # One that is there is never made anew.
    assert any("urandom" in step for step in found) == (key is None)
