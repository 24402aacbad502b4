"""The reading of the disks: a Hyper-V guest as its documentation describes it, and a container."""

from __future__ import annotations

import pytest
from pyinfra.api.exceptions import FactProcessError

from clup.disks.verdict import Wanted, verdict
from clup.facts.disks import parse

HYPER_V = r"""
device sda 8:0 136365211648 0 no
part sda1
part sda3
serial
wwn naa.6002248011111111111111111111
wwn 0x6002248011111111
node /dev/sda
blkid 0 ID_PART_TABLE_UUID=1234 ID_PART_TABLE_TYPE=gpt
ID_PART_TABLE_UUID=1234
ID_PART_TABLE_TYPE=gpt
table 3
device sda1 8:1 1127219200 0 yes
node /dev/sda1
blkid 0 ID_FS_TYPE=vfat
ID_FS_TYPE=vfat
ID_PART_ENTRY_SCHEME=gpt
device sda3 8:3 133087363072 0 yes
holder dm-0
node /dev/sda3
blkid 0 ID_FS_TYPE=LVM2_member
ID_FS_TYPE=LVM2_member
device sdb 8:16 1099511627776 0 no
serial
wwn naa.60022480aaaaaaaaaaaaaaaaaaaaaaaa
wwn 0x60022480aaaaaaaa
wwn 0x60022480aaaaaaaaaaaaaaaaaaaaaaaa
node /dev/sdb
blkid 2
wipefs 0 {"signatures": []}
sample 0 1048576 0 -
sample 1099510579200 1048576 0 -
device sdc 8:32 1099511627776 0 no
holder dm-1
wwn naa.60022480bbbbbbbbbbbbbbbbbbbbbbbb
node /dev/sdc
blkid 2
wipefs 0
sample 0 1048576 1 510 000102
device sr0 11:0 1073741312 0 no
node /dev/sr0
blkid 2 blkid: error: /dev/sr0: No medium found
wipefs 1 wipefs: error: /dev/sr0: probing initialization failed: No medium found
device loop3 7:3 67010560 1 no
node /dev/loop3
blkid 0 ID_FS_TYPE=squashfs
ID_FS_TYPE=squashfs
device dm-0 252:0 66542632960 0 no
mapping ubuntu--vg-ubuntu--lv LVM-abc
node /dev/dm-0
blkid 0 ID_FS_TYPE=ext4
ID_FS_TYPE=ext4
ID_FS_LABEL_ENC=my\x20root
ID_FS_UUID=77
device dm-1 252:1 1099511627776 0 no
mapping mpatha mpath-360022480bbbbbbbbbbbbbbbbbbbbbbbb
device cciss!c0d0 104:0 512000 0 no
link wwn-0x60022480aaaaaaaaaaaaaaaaaaaaaaaa ../../sdb
link wwn-0x60022480bbbbbbbbbbbbbbbbbbbbbbbb ../../sdc
link dm-name-ubuntu--vg-ubuntu--lv ../../dm-0
link cciss-0 ../../cciss/c0d0
mount 25 1 252:0 / / rw,relatime shared:1 - ext4 /dev/mapper/ubuntu--vg-ubuntu--lv rw
mount 91 25 7:3 / /snap/my\040core ro,nodev shared:60 - squashfs /dev/loop3 ro
swap /swap\040file file 4194300 0 -2
marker data.json {"disk": {"id": "x", "size": 1099511627776}, "recipe": {}}
marker old.json {"dis
record cache.uuid 2f1c0a52
end
""".strip().splitlines()

MACHINE = parse(HYPER_V)


def wanted(letter: str) -> Wanted:
    return Wanted("new", "CLAW_DATA", "/srv/data", by_id=f"wwn-0x60022480{letter * 24}")


def test_the_devices() -> None:
    devices = MACHINE.devices
    assert list(devices)[:4] == ["sda", "sda1", "sda3", "sdb"]
    assert devices["sda"].partitions == ("sda1", "sda3")
    assert (devices["sda"].table_entries, devices["sda1"].partition) == (3, True)
    assert "60022480aaaaaaaaaaaaaaaaaaaaaaaa" in devices["sdb"].wwns
    assert devices["dm-0"].label == "my root"
    assert devices["dm-1"].node is None
    assert devices["loop3"].read_only
    assert MACHINE.links["cciss-0"] == "cciss!c0d0"


def test_the_rest() -> None:
    assert MACHINE.mounted_at("/snap/my core") is not None
    assert MACHINE.swaps == {"/swap file"}
    assert MACHINE.markers == {"data": 1099511627776, "old": 0}
    assert MACHINE.records == {"cache": "2f1c0a52"}


@pytest.mark.parametrize(
    ("asked", "kind", "says"),
    [
        (wanted("a"), "blank", "wwn-0x60022480aaaaaaaaaaaaaaaaaaaaaaaa (/dev/sdb, 1.0 TiB)"),
        (wanted("a"), "blank", "about 2.0 h at 150 MB/s"),
        (wanted("b"), "foreign", "is held by multipath as dm-1 (mpatha)"),
        (
            Wanted("new", "X", "/srv/x", wwn="0x60022480AAAAAAAAAAAAAAAAAAAAAAAA"),
            "blank",
            "/dev/sdb",
        ),
        (Wanted("new", "X", "/srv/x", by_id="dm-name-ubuntu--vg-ubuntu--lv"), "foreign", "at /,"),
    ],
)
def test_its_disks_are_judged(asked: Wanted, kind: str, says: str) -> None:
    found = verdict(MACHINE, asked)
    assert (found.kind, says in str(found)) == (kind, True), str(found)


def test_a_container_sees_its_hosts_disks_without_nodes() -> None:
    container = parse(
        [
            "device vda 254:0 274877906944 0 no",
            "serial 1234",
            "mount 1 0 0:99 / / rw - overlay overlay rw",
            "end",
        ]
    )
    found = verdict(container, Wanted("data", "CLAW_DATA", "/srv/data", serial="1234"))
    assert (found.kind, "no node in /dev" in found.found) == ("unknown", True)


@pytest.mark.parametrize("lines", [HYPER_V[:-1], HYPER_V[:40], []])
def test_a_reading_that_was_cut_is_none(lines: list[str]) -> None:
    """The mounts and records come last: without them every disk would seem free and new."""
    with pytest.raises(FactProcessError, match="the disks were not read to the end"):
        parse(lines)


def test_an_answer_that_cannot_be_read_is_a_signature() -> None:
    lines = ["device sdb 8:16 512 0 no", "node /dev/sdb", "blkid 2", "wipefs 0 {nonsense", "end"]
    assert parse(lines).devices["sdb"].signatures


BTRFS_OVER_TWO_DISKS = """
device vdn 254:208 268435456 0 no
btrfs 576a775f-3b4c-457b-9e9f-d7d13d54e722
node /dev/vdn
blkid 0 ID_FS_TYPE=btrfs
ID_FS_TYPE=btrfs
device vdo 254:224 268435456 0 no
btrfs 576a775f-3b4c-457b-9e9f-d7d13d54e722
node /dev/vdo
blkid 0 ID_FS_TYPE=btrfs
ID_FS_TYPE=btrfs
link virtio-BTRFS1 ../../vdn
link virtio-BTRFS2 ../../vdo
mount 54 29 0:45 / /mnt/pool rw - btrfs /dev/disk/by-id/virtio-BTRFS1 rw,subvolid=5,subvol=/
end
""".strip().splitlines()


@pytest.mark.parametrize("disk", ["virtio-BTRFS1", "virtio-BTRFS2"])
def test_a_mounted_btrfs_counts_for_each_of_its_disks(disk: str) -> None:
    """As a virtual machine of Debian 13 showed it."""
    found = verdict(parse(BTRFS_OVER_TWO_DISKS), Wanted("new", "X", "/srv/x", by_id=disk))
    assert (found.kind, found.found) == ("foreign", "is mounted at /mnt/pool, not at /srv/x")
