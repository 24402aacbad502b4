"""What others could write in a folder of root's is set aside: the script, run for real."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from clup.facts.foreign import Foreign
from clup.operations.foreign import _ASIDE

pytestmark = pytest.mark.skipif(
    os.getuid() != 0, reason="cannot run here: only root makes files of others"
)


def found(folder: Path) -> list[str]:
    command = Foreign().command(str(folder)).get_raw_value()
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
    words = ["sh", "-c", _ASIDE, "sh", str(tmp_path)]
    subprocess.run(words, capture_output=True, text=True, check=True)
    assert found(tmp_path) == []
    stayed = {path.name.partition(".bak.")[0] for path in tmp_path.iterdir()}
    assert stayed >= {"folder", "link.yaml", "odd\nname", "open.yaml", "psy's.yaml"}
    assert (tmp_path / "good.yaml").read_text() == "good.yaml"
    assert len(list(tmp_path.iterdir())) == 9


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert found(tmp_path / "nowhere") == []
