"""A filesystem mounted on another one, on a machine whose fstab holds somebody's password."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clup import lab
from tests.lab.command import Answer, on_machine
from tests.lab.machines import machine, run

DISK = lab.Disk("virtio-LABNEST", 256 << 20)
SETTINGS = {"filesystems": {"nest": {"by_id": DISK.id, "mount": "/srv/data/nest"}}}
DRIVE = "//nas/photos /mnt/photos cifs noauto,user=psy,password=hunter2 0 0"


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine("nested", (*lab.DEFAULT_DISKS, DISK)) as box:
        yield box


def storage(box: lab.Lab, command: str) -> Answer:
    return run(box, command, "storage", SETTINGS)


def test_both_are_mounted_from_bare_in_one_run(box: lab.Lab) -> None:
    on_machine(box, f"echo '{DRIVE}' >>/etc/fstab; chmod 0600 /etc/fstab")
    assert "hunter2" not in str(storage(box, "plan").document)
    applied = storage(box, "apply")
    assert applied.exit == 0, applied.stderr
    assert "hunter2" not in str(applied.document) + applied.stderr
    assert storage(box, "plan").exit == 0
    assert storage(box, "verify").checks("failed") == []
    mounts = on_machine(box, "findmnt -rno TARGET -t ext4").split()
    assert {"/srv/data", "/srv/data/nest"} <= set(mounts)


def test_the_file_with_the_password_stays_closed(box: lab.Lab) -> None:
    kept = "stat -c %a /etc/fstab /etc/fstab.bak.*; grep -cxF"
    assert on_machine(box, f"{kept} '{DRIVE}' /etc/fstab").split() == ["600", "600", "1"]


def test_both_are_there_again_after_a_reboot(box: lab.Lab) -> None:
    lab.reboot(box.name)
    assert storage(box, "plan").exit == 0


def test_a_folder_of_it_in_its_place_is_not_taken_for_it(box: lab.Lab) -> None:
    on_machine(
        box,
        "mkdir -m 0700 /srv/data/nest/theirs; chown 4242 /srv/data/nest/theirs\n"
        "mount --bind /srv/data/nest/theirs /mnt; umount /srv/data/nest\n"
        "mount --bind /mnt /srv/data/nest; umount /mnt",
    )
    refused = storage(box, "apply")
    assert refused.exit == 1
    assert "is mounted at /srv/data/nest only by its folder /theirs" in str(refused.document)
    assert on_machine(box, "stat -c '%u %a' /srv/data/nest") == "4242 700\n"
