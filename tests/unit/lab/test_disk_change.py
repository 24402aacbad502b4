"""Which disks a lab has after one was added or detached, and what is on them."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from clup.lab import disk_change, machine, vm
from clup.lab.disk_change import Disks, disk_add, disk_detach, with_disk, without_disk
from clup.lab.errors import LabError
from clup.lab.machine import Disk, Lab

ONE, TWO = Disk("virtio-ONE", 512), Disk("virtio-TWO", 1024)
AWAY = Disk("virtio-TWO", 1024, attached=False)


@pytest.mark.parametrize(
    ("disks", "size", "read_only", "expected"),
    [
        ((ONE,), 1024, False, (ONE, TWO)),
        ((ONE,), 1024, True, (ONE, Disk("virtio-TWO", 1024, read_only=True))),
        ((ONE, AWAY), None, False, (ONE, TWO)),
        ((AWAY, ONE), 1024, False, (TWO, ONE)),
        ((AWAY,), None, True, (Disk("virtio-TWO", 1024, read_only=True),)),
    ],
    ids=["new", "new, read-only", "back", "back, with its size", "back, read-only"],
)
def test_a_disk_is_added(disks: Disks, size: int | None, read_only: bool, expected: Disks) -> None:
    assert with_disk(disks, "virtio-TWO", size, read_only) == expected


@pytest.mark.parametrize(
    ("disks", "size", "said"),
    [
        ((ONE,), None, "a new disk needs a size; say virtio-TWO=1G"),
        ((ONE, TWO), None, "it is attached; `clup lab disk detach virtio-TWO`"),
        ((ONE, TWO), 1024, "it is attached"),
        ((AWAY,), 512, "it was detached with 1024 bytes, not 512"),
    ],
)
def test_a_disk_that_cannot_be_added_is_refused(disks: Disks, size: int | None, said: str) -> None:
    with pytest.raises(LabError, match=said):
        with_disk(disks, "virtio-TWO", size, False)


def test_a_detached_disk_is_remembered() -> None:
    assert without_disk((ONE, TWO), "virtio-TWO") == (ONE, AWAY)
    assert without_disk((AWAY, ONE), "virtio-ONE") == (AWAY, replace(ONE, attached=False))


@pytest.mark.parametrize(
    ("disks", "said"),
    [
        ((ONE,), "there is no disk 'virtio-TWO'; there are: virtio-ONE"),
        ((), "there are: none"),
        ((AWAY,), "it is detached; attach it with `clup lab disk add virtio-TWO`"),
    ],
)
def test_what_cannot_be_detached_is_refused(disks: Disks, said: str) -> None:
    with pytest.raises(LabError, match=said):
        without_disk(disks, "virtio-TWO")


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    """A lab without disks whose machine runs, and takes what is put into it."""
    made = Lab("mine", "vm", "trixie", 2222, (), tmp_path / "mine", ready=True)
    monkeypatch.setattr(machine, "FOLDER", tmp_path)
    monkeypatch.setattr(vm, "running", lambda: frozenset({made.folder}))
    monkeypatch.setattr(vm, "monitor", lambda folder: nullcontext(Mock()))
    monkeypatch.setattr(disk_change, "succeeds", lambda argv, seconds: True)
    machine.save(made)
    return made


def test_a_disk_whose_adding_failed_is_blank_and_as_large_as_asked_when_added_anew(
    box: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = box.disk_file("virtio-TWO")
    monkeypatch.setattr(disk_change, "succeeds", lambda argv, seconds: False)
    with pytest.raises(LabError, match="has not appeared"):
        disk_add("mine", "virtio-TWO", 1024)
    file.write_bytes(b"from the first time")
    monkeypatch.setattr(disk_change, "succeeds", lambda argv, seconds: True)
    assert disk_add("mine", "virtio-TWO", 2048).disks == (Disk("virtio-TWO", 2048),)
    assert file.read_bytes() == bytes(2048)


def test_a_disk_that_was_detached_has_its_content_when_it_is_back(box: Lab) -> None:
    file = box.disk_file("virtio-TWO")
    disk_add("mine", "virtio-TWO", 512)
    file.write_bytes(b"kept")
    disk_detach("mine", "virtio-TWO")
    disk_add("mine", "virtio-TWO")
    assert file.read_bytes() == b"kept"
