"""Which disks a lab has after one was added or detached."""

from dataclasses import replace

import pytest

from clup.lab.disk_change import Disks, with_disk, without_disk
from clup.lab.errors import LabError
from clup.lab.machine import Disk

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
