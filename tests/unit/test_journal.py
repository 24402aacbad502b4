"""The machine's journal: only an apply says which revision a machine has."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

from clup import journal


def last(file: Path) -> list[str]:
    """Return the revisions among the lines from which the last apply is read."""
    words = ["sh", "-c", journal._LAST, "sh", str(file)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return [json.loads(line)["revision"] for line in done.stdout.splitlines()]


def test_a_removal_says_nothing_about_the_revision(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    assert last(file) == []
    applied = asdict(journal.entry("abc", "done", 3, "", "all"))
    del applied["action"]
    removed = asdict(journal.entry("def", "done", 1, "", "all", "remove account bob"))
    file.write_text("".join(json.dumps(line) + "\n" for line in [applied, *[removed] * 12]))
    assert last(file) == ["abc"]
