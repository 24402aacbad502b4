"""What is said of one lab alone: kept in its folder, said by the inventory of labs."""

from __future__ import annotations

from pathlib import Path

import pytest

from clup.lab import own_settings, say_of
from clup.lab.errors import LabError
from tests.unit.lab.test_machine import lab

SAID = {"runner": {"enabled": True}}


def test_what_was_said_last_counts(tmp_path: Path) -> None:
    box = lab(tmp_path)
    assert own_settings(box) == {}
    say_of(box, {"base": {"packages": ["htop"]}})
    say_of(box, SAID)
    assert own_settings(box) == SAID
    assert [each.name for each in tmp_path.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("text", ["{", "[]"])
def test_an_unreadable_file_is_named_with_the_cure(tmp_path: Path, text: str) -> None:
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises(LabError, match="own settings") as raised:
        own_settings(lab(tmp_path))
    assert raised.value.where == str(tmp_path / "settings.json")
