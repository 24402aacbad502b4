"""Disks, mounts and fstab on a lab machine, as operators meet them.

The tests run in the order in which they stand: each begins where the one before it ended.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clup import lab
from tests.lab.command import Answer, clup, on_machine
from tests.lab.machines import machine

NAME = "disks"
DATA = "/dev/disk/by-id/virtio-LABDATA"
# Runs a command on the folder below the mount, in a view of its own.
BELOW = "unshare --mount sh -euc 'mount --bind /srv /run; {}'"


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine(NAME) as box:
        yield box


def storage(command: str) -> Answer:
    return clup(NAME, command, "inventories/lab.py", "--role", "storage")


def planned() -> set[str]:
    """Return the operations that a plan lists."""
    answer = storage("plan")
    assert answer.exit in (0, 2), answer.document
    return answer.operations("would change")


def applied() -> set[str]:
    """Apply, and return the operations that changed something."""
    answer = storage("apply")
    assert answer.exit == 0, answer.document
    return answer.operations("changed")


def sha256(box: lab.Lab) -> str:
    return on_machine(box, f"sha256sum {DATA}")


def test_a_disk_that_is_not_blank_stops_all_before_the_first_change(box: lab.Lab) -> None:
    on_machine(box, f"mke2fs -q -t ext4 -L FAMILY_PHOTOS {DATA}")
    before = sha256(box)
    for command in ("plan", "apply"):
        refused = storage(command)
        assert refused.exit == 1
        (host,) = refused.document["hosts"].values()
        operations = host["operations"]
        # Every disk is judged, and one reason is told once, whoever refuses for it.
        assert str(operations).count("holds an ext4 filesystem labelled 'FAMILY_PHOTOS'") == 1
        assert "data: foreign: virtio-LABDATA" in str(operations)
        assert "cache: blank: virtio-LABCACHE" in str(operations)
        assert refused.operations("changed") == set()
    assert sha256(box) == before
    assert on_machine(box, "ls /srv; cat /etc/fstab | grep -c CLAW || true").strip() == "0"
    assert on_machine(box, "blkid -p /dev/disk/by-id/virtio-LABCACHE || true") == ""
    on_machine(box, f"blkdiscard -z {DATA}")


def test_blank_disks_become_mounts(box: lab.Lab) -> None:
    assert "storage: Make or adopt the filesystem CLAW_DATA" in applied()
    assert storage("verify").checks("failed") == []
    assert planned() == set()
    mounts = on_machine(box, "findmnt -rno TARGET,FSTYPE -t ext4").split("\n")
    assert {"/srv/data ext4", "/srv/cache ext4"} <= set(mounts)


def test_they_are_there_again_after_a_reboot(box: lab.Lab) -> None:
    on_machine(box, "echo kept >/srv/data/note")
    lab.reboot(NAME)
    assert on_machine(box, "cat /srv/data/note") == "kept\n"
    assert planned() == set()


def test_nothing_lands_on_the_root_disk_while_a_disk_is_not_mounted(box: lab.Lab) -> None:
    on_machine(box, "umount /srv/data; ! touch /srv/data/lost 2>/dev/null; ! mkdir /srv/data/x")
    assert any("mounted at /srv/data" in line for line in storage("verify").checks("failed"))
    assert planned() == {"storage: Mount /srv/data"}
    assert applied() == {"storage: Mount /srv/data"}
    assert on_machine(box, "cat /srv/data/note") == "kept\n"


def test_a_label_lost_while_unmounted_comes_back(box: lab.Lab) -> None:
    on_machine(box, f"umount /srv/data; e2label {DATA} ''")
    changed = {"storage: Make or adopt the filesystem CLAW_DATA", "storage: Mount /srv/data"}
    assert planned() == changed
    assert applied() == changed
    assert on_machine(box, "cat /srv/data/note") == "kept\n"


def test_what_lies_below_a_mount_is_named_and_left(box: lab.Lab) -> None:
    on_machine(box, BELOW.format("chattr -i /run/data; echo old >/run/data/hidden"))
    assert any("nothing lies hidden" in line for line in storage("verify").checks("failed"))
    assert applied() == {"storage: Make and seal the mount point /srv/data"}
    on_machine(box, "umount /srv/data")
    refused = storage("apply")
    assert refused.exit == 1
    assert "holds hidden on the disk below, which a mount would hide" in str(refused.document)
    assert (
        on_machine(box, "cat /srv/data/hidden; chattr -i /srv/data; rm /srv/data/hidden") == "old\n"
    )
    assert applied()
    assert planned() == set()


def test_a_machine_set_up_by_hand_is_taken_over_as_it_is(box: lab.Lab) -> None:
    """Its lines name the filesystems by UUID, and clup has no memory of it."""
    on_machine(
        box,
        "uuid=$(blkid -p -s UUID -o value " + DATA + ")\n"
        'sed -i "s/^LABEL=CLAW_DATA/UUID=$uuid/" /etc/fstab; rm /var/lib/clup/storage/data.uuid',
    )
    lines = on_machine(box, "cat /etc/fstab")
    assert applied() == {"storage: Make or adopt the filesystem CLAW_DATA"}
    assert on_machine(box, "cat /etc/fstab /srv/data/note") == lines + "kept\n"
    assert planned() == set()


def test_a_cut_run_is_finished(box: lab.Lab) -> None:
    """The marker of a cut run, and a disk on which it had not written yet."""
    on_machine(
        box,
        "umount /srv/cache; cd /var/lib/clup/storage; rm cache.uuid\n"
        "blkdiscard -z /dev/disk/by-id/virtio-LABCACHE\n"
        'printf \'{"disk": {"size": 4294967296}}\' >cache.json',
    )
    assert "carries what a cut run began" in str(storage("plan").document)
    assert applied()
    assert on_machine(box, "ls /var/lib/clup/storage").split() == ["cache.uuid", "data.uuid"]


def test_a_missing_disk_is_named(box: lab.Lab) -> None:
    on_machine(box, f"umount /srv/data; rm {DATA}")
    refused = storage("apply")
    assert refused.exit == 1
    assert "the disk of by_id 'virtio-LABDATA': is not in /dev/disk/by-id" in str(refused.document)
    assert "there is virtio-LABCACHE" in str(refused.document)
    lab.reboot(NAME)
    assert planned() == set()
