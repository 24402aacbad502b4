import dataclasses
from pathlib import Path

import pytest

from clup.lab import machine
from clup.lab.errors import LabError
from clup.lab.keys import quoted
from clup.lab.machine import DEFAULT_DISKS, Disk, Lab


def lab(folder: Path) -> Lab:
    return Lab("first", "container", "trixie", 2222, DEFAULT_DISKS, folder, packages=("lvm2",))


def test_a_lab_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    written = machine.made_ready(lab(folder))
    assert machine.load(folder) == written == dataclasses.replace(lab(folder), ready=True)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"name": "first"}', '{"disks": [{"size": 1}]}']
)
def test_an_unreadable_state_names_its_file_and_the_cure(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "first"
    folder.mkdir()
    (folder / "lab.json").write_text(text)
    with pytest.raises(LabError) as raised:
        machine.load(folder)
    assert raised.value.where == str(folder / "lab.json")
    assert raised.value.cure == "remove the lab with `clup lab down --name first`"


@pytest.mark.parametrize("name", ["", "A", "1a", "-a", ".lock", "a/b", "a b", "ä", "a" * 31])
def test_a_name_that_cannot_be_a_host_name_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="cannot be a host name"):
        machine.checked_name(name)


@pytest.mark.parametrize("name", ["a", "default", "a-1", "a" * 30])
def test_a_name_that_can_be_a_host_name_is_taken(name: str) -> None:
    assert machine.checked_name(name) == name


@pytest.mark.parametrize(
    ("disks", "reason"),
    [
        ((Disk("a/b", 512),), "cannot be a name below"),
        ((Disk("", 512),), "cannot be a name below"),
        ((Disk("..", 512),), "cannot be a name below"),
        ((Disk("a", 0),), "0 bytes"),
        ((Disk("a", -512),), "-512 bytes"),
        ((Disk("a", 513),), "513 bytes"),
        ((Disk("a", 512), Disk("a", 1024)), "two disks have one id"),
    ],
)
def test_bad_disks_are_refused(disks: tuple[Disk, ...], reason: str) -> None:
    with pytest.raises(LabError, match=reason):
        machine.checked_disks(disks)


def test_recorded_labs_are_the_folders_that_can_be_labs(tmp_path: Path) -> None:
    for name in (".lock", ".docker", "b", "a"):
        (tmp_path / name).mkdir()
    assert machine.recorded(tmp_path) == ["a", "b"]
    assert machine.recorded(tmp_path / "missing") == []


def test_a_path_survives_ssh_with_its_spaces_and_percent_signs() -> None:
    assert quoted(Path("/a b/50%/key")) == '"/a b/50%%/key"'


@pytest.mark.parametrize("name", ["", "a", "-y", "Lvm2", "lvm2,xfs", "a b", "lvm2=1"])
def test_what_cannot_be_a_package_is_refused(name: str) -> None:
    with pytest.raises(LabError, match="cannot be a package"):
        machine.checked_packages(("g++", "lvm2", name))
