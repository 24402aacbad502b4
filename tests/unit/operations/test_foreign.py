"""What others could write in a folder of root's is set aside: the script, run for real."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clup.facts.foreign import Foreign
from clup.operations.foreign import _ASIDE

pytestmark = pytest.mark.skipif(
    os.getuid() != 0, reason="cannot run here: only root makes files of others"
)


def found(folder: Path, *of: Any) -> list[str]:
    command = Foreign().command(str(folder), *of).get_raw_value()
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    return Foreign().process(done.stdout.splitlines())


def test_only_files_that_root_alone_writes_stay(tmp_path: Path) -> None:
    for name in ("good.yaml", "open.yaml", "psy's.yaml", "odd\nname", ".hidden", "a.bak.1", "b~"):
        (tmp_path / name).write_text(name)
        (tmp_path / name).chmod(0o666 if name != "good.yaml" else 0o644)
    (tmp_path / "good.yaml").chmod(0o644)
    os.chown(tmp_path / "psy's.yaml", 2000, 2000)
    (tmp_path / "link.yaml").symlink_to("good.yaml")
    (tmp_path / "folder").mkdir()
    assert found(tmp_path) == ["folder", "link.yaml", "odd?name", "open.yaml", "psy's.yaml"]
    words = ["sh", "-c", _ASIDE, "sh", str(tmp_path), "0", "*"]
    subprocess.run(words, capture_output=True, text=True, check=True)
    assert found(tmp_path) == []
    stayed = {path.name.partition(".bak.")[0] for path in tmp_path.iterdir()}
    assert stayed >= {"folder", "link.yaml", "odd\nname", "open.yaml", "psy's.yaml"}
    assert (tmp_path / "good.yaml").read_text() == "good.yaml"
    assert len(list(tmp_path.iterdir())) == 9


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert found(tmp_path / "nowhere") == []


def test_of_another_account_only_the_names_that_matter(tmp_path: Path) -> None:
    for name, owner in (("1.jsonl", 2010), ("theirs.jsonl", 1000), ("notes", 1000), ("r.jsonl", 0)):
        (tmp_path / name).write_text(name)
        os.chown(tmp_path / name, owner, owner)
    assert found(tmp_path, 2010, "*.jsonl") == ["r.jsonl", "theirs.jsonl"]
    words = ["sh", "-c", _ASIDE, "sh", str(tmp_path), "2010", "*.jsonl"]
    subprocess.run(words, capture_output=True, text=True, check=True)
    assert found(tmp_path, 2010, "*.jsonl") == []
    assert (tmp_path / "1.jsonl").exists()
    assert (tmp_path / "notes").exists()
    assert len(list(tmp_path.iterdir())) == 4
