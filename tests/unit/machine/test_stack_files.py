"""Files of a stack: from the desired-state folder to where they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clup.machine.stack_files import place, show


def file(folder: Path, content: str, placed: str) -> dict[str, Any]:
    live, tree = folder / "live/web/file", folder / "tree/web/file"
    return {
        "live": str(live),
        "tree": str(tree),
        "content": content,
        "mode": "0640",
        "placed": placed,
    }


def kept(folder: Path) -> list[str]:
    """Return what was kept beside the live file, as text or as where a link leads."""
    found = sorted((folder / "live/web").glob("file.bak.*"))
    return [f"-> {each.readlink()}" if each.is_symlink() else each.read_text() for each in found]


@pytest.mark.parametrize("placed", ["link", "copy"])
def test_what_was_there_is_kept_once(tmp_path: Path, placed: str) -> None:
    live, tree = tmp_path / "live/web/file", tmp_path / "tree/web/file"
    live.parent.mkdir(parents=True)
    live.write_text("by hand")
    for content in ("one", "one", "two"):
        place([file(tmp_path, content, placed)])
        assert live.read_text() == tree.read_text() == content
        assert live.is_symlink() == (placed == "link")
        assert live.stat().st_mode & 0o7777 == 0o640
    assert kept(tmp_path) == ["by hand"]
    live.unlink()
    live.symlink_to("/elsewhere")
    place([file(tmp_path, "two", placed)])
    assert live.read_text() == "two"
    assert sorted(kept(tmp_path)) == ["-> /elsewhere", "by hand"]
    assert sorted(each.name[:4] for each in live.parent.iterdir()) == ["file"] * 3


def test_from_a_link_to_a_copy_and_back(tmp_path: Path) -> None:
    live = tmp_path / "live/web/file"
    for placed in ("link", "copy", "link"):
        place([file(tmp_path, "one", placed)])
        assert live.is_symlink() == (placed == "link")
        assert live.read_text() == "one"
    assert kept(tmp_path) == [], "what was there was clup's own each time"


def test_a_source_that_is_missing_is_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show(file(tmp_path, "one", "link"))
    assert "skip: " in capsys.readouterr().out
    assert not (tmp_path / "live").exists()


def test_a_folder_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "live/web/file").mkdir(parents=True)
    with pytest.raises(OSError, match="is a folder"):
        place([file(tmp_path, "one", "link")])
    assert (tmp_path / "live/web/file").is_dir()
