"""Commits of the desired state: one for each run that changed something."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from clup.machine.stack_tree import commit


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    return tmp_path


def made(tree: Path, run: str, **texts: str | None) -> str:
    """Write files, or remove those without a text, and commit them within a run."""
    paths = []
    for name, text in texts.items():
        path = tree / name
        paths.append(str(path))
        if text is None:
            path.unlink()
        else:
            path.write_text(text)
    return commit(str(tree), paths, "psy@desk", "1a2b3c", run)


def log(tree: Path) -> list[str]:
    """Return each commit, the last one first: author, subject, and its files."""
    words = ["git", "-C", str(tree), "log", "--format=:%an <%ae> %s", "--name-only"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return [" ".join(each.split()) for each in done.stdout.split(":")[1:]]


def test_one_commit_a_run(tree: Path) -> None:
    by = "psy <psy@desk> Apply 1a2b3c as psy@desk"
    assert made(tree, "first", one="1") == ""
    assert made(tree, "first", two="2") == ""
    assert log(tree) == [f"{by} one two"]
    assert made(tree, "second", one="1") == ""
    assert log(tree) == [f"{by} one two"]
    assert made(tree, "second", one="11") == ""
    assert made(tree, "third", two=None) == ""
    assert log(tree) == [f"{by} two", f"{by} one", f"{by} one two"]


def test_what_others_have_there_is_no_part_of_it(tree: Path) -> None:
    (tree / "other").write_text("x")
    subprocess.run(["git", "-C", str(tree), "add", "other"], check=True)
    assert made(tree, "first", one="1") == ""
    assert log(tree)[0].endswith("as psy@desk one")
    assert (tree / "other").exists()


def test_why_there_is_no_commit_is_told(tree: Path) -> None:
    hook = tree / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no secret here >&2\nexit 1\n")
    hook.chmod(0o755)
    assert "no secret here" in made(tree, "first", one="1")
