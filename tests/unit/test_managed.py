"""The record of what clup manages, and the line about what left the settings."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from clup.managed import _ADD, KINDS, Thing, lines, nearest, parsed
from clup.removal import SCRIPTS, ordered
from roles.base.tasks import FOLDERS

BOB = (Thing("account", "bob"), Thing("group", "bob"))


def test_a_line_that_was_cut_or_is_of_a_later_version_is_passed_over() -> None:
    record = ["account bob", "group bob", "folder /srv/data/with space", "acc", "engine x", "file "]
    assert parsed(record) == {*BOB, Thing("folder", "/srv/data/with space")}
    assert parsed(map(str, BOB)) == set(BOB)


def test_a_bare_machine_remembers_too_and_leaves_its_folder_to_the_role(tmp_path: Path) -> None:
    record = tmp_path / "clup/managed"

    def added(text: str) -> int:
        """Add to the record; return the mode of its folder."""
        words = ["sh", "-c", _ADD, "sh", str(record)]
        subprocess.run(words, input=text, text=True, check=True)
        return record.parent.stat().st_mode & 0o7777

    mode = added("group bob\n")
    assert mode & 0o777 == 0o700, "nobody else reads it meanwhile"
    assert f"{mode:04o}" != FOLDERS["/var/lib/clup"], "its operation is to find work"
    record.parent.chmod(0o700)
    assert added("account bob\n") == 0o700
    assert parsed(record.read_text().splitlines()) == set(BOB)


@pytest.mark.parametrize(
    ("left", "shown"),
    [((), []), (BOB, ["vm1: unmanaged: account bob, group bob; it stays until you type"])],
)
def test_what_left_the_settings_is_one_line(left: tuple[Thing, ...], shown: list[str]) -> None:
    found = lines("vm1", left)
    assert [line.partition(" `")[0] for line in found] == shown


def test_a_misspelled_name_is_answered_with_the_nearest() -> None:
    assert nearest("bobb", BOB) == "bob"
    assert nearest("/srv/other", BOB) is None


def test_each_kind_can_be_looked_for_and_removed_an_account_before_its_group() -> None:
    assert set(KINDS) == set(SCRIPTS)
    assert ordered(frozenset(BOB)) == list(BOB)
