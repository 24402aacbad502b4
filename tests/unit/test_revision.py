"""Which revisions may be applied after which, in a real repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from clup.revision import current, objection

IDENTITY = ["-c", "user.name=t", "-c", "user.email=t@example.org"]


def git(root: Path, *arguments: str) -> str:
    argv = ["git", "-C", str(root), *IDENTITY, *arguments]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> tuple[Path, str, str]:
    git(tmp_path, "init", "-q")
    for text in ("first", "second"):
        (tmp_path / "file").write_text(text)
        git(tmp_path, "add", "file")
        git(tmp_path, "commit", "-q", "-m", text)
    return tmp_path, git(tmp_path, "rev-parse", "HEAD~1"), git(tmp_path, "rev-parse", "HEAD")


def test_the_revision_says_whether_files_were_changed(repository: tuple[Path, str, str]) -> None:
    root, _, second = repository
    assert current(root) == second
    (root / "file").write_text("third")
    assert current(root) == f"{second}+changes"


def test_no_revision_outside_a_checkout(tmp_path: Path) -> None:
    assert current(tmp_path) == "unknown"


def test_only_an_older_or_unknown_revision_is_objected_to(
    repository: tuple[Path, str, str],
) -> None:
    root, first, second = repository
    assert objection(root, last=first, now=second) is None
    assert objection(root, last=second, now=second) is None
    assert objection(root, last=f"{second}+changes", now=second) is None
    assert objection(root, last="unknown", now=second) is None
    older = objection(root, last=second, now=first)
    assert older == f"{second[:12]} was applied last, and {first[:12]} is older"
    unknown = objection(root, last="f" * 40, now=second)
    assert unknown == "ffffffffffff was applied last, which this clone does not know"
