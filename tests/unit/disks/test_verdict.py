"""What each state of a disk is to a filesystem, as values: nothing here touches a disk."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clup.disks.machine import Answer, BlockDevice, Machine, Mount, Sample, Signature, shown_size
from clup.disks.verdict import Wanted, verdict

UUID = "2f1c0a52-8d0e-4d6e-9a44-6d3c2b0f1e11"
OTHER_UUID = "99999999-8d0e-4d6e-9a44-6d3c2b0f1e11"
WANTED = Wanted("data", "CLAW_DATA", "/srv/data", by_id="wwn-0x6002248a", at_least=64 << 20)
ZEROS = (Sample(0, 1 << 20, 0), Sample(9 << 20, 1 << 20, 0))
BLANK = BlockDevice(
    name="sdb",
    number="8:16",
    size=1 << 30,
    node="/dev/sdb",
    serials=frozenset({"SER1"}),
    wwns=frozenset({"6002248a"}),
    blkid=Answer(2),
    wipefs=Answer(0),
    samples=ZEROS,
)
PART = BlockDevice("sdb1", "8:17", 1 << 29, "/dev/sdb1", partition=True, blkid=Answer(0))


def tags(kind: str = "ext4", label: str = "CLAW_DATA", uuid: str = UUID) -> Answer:
    found = {"ID_FS_TYPE": kind, "ID_FS_LABEL_ENC": label, "ID_FS_UUID": uuid}
    return Answer(0, {name: value for name, value in found.items() if value})


OURS = replace(BLANK, blkid=tags(), wipefs=None, samples=())


def machine(*devices: BlockDevice, **more: Any) -> Machine:
    return Machine(
        devices={device.name: device for device in devices},
        links={"wwn-0x6002248a": "sdb", "scsi-36002248a": "sdb"},
        **more,
    )


def mount(
    target: str = "/srv/data", number: str = "8:16", kind: str = "ext4", source: str = "/dev/sdb"
) -> Mount:
    return Mount(number, "/", target, frozenset({"rw"}), kind, source)


CASES = {
    "blank": (machine(BLANK), "blank", "is blank so far"),
    "blank, where one of ours was": (
        machine(BLANK, records={"data": UUID}),
        "foreign",
        f"is blank, but data was {UUID} before",
    ),
    "what a cut run began, where one of ours was": (
        machine(BLANK, records={"data": UUID}, markers={"data": 1 << 30}),
        "blank",
        "carries what a cut run began",
    ),
    "ours, not mounted": (machine(OURS), "adopt", "'CLAW_DATA', not mounted"),
    "ours, mounted": (machine(OURS, mounts=(mount(),)), "mounted", "mounted at /srv/data"),
    "ours, and remembered": (machine(OURS, records={"data": UUID}), "adopt", "not mounted"),
    "ours, but not the one remembered": (
        machine(OURS, records={"data": OTHER_UUID}),
        "foreign",
        f"holds the ext4 filesystem {UUID}, but data was {OTHER_UUID} before",
    ),
    "another label, remembered": (
        machine(replace(OURS, blkid=tags(label="OLD")), records={"data": UUID}),
        "adopt",
        "labelled 'OLD', ours by its UUID",
    ),
    "another label": (
        machine(replace(OURS, blkid=tags(label="OLD"))),
        "foreign",
        "labelled 'OLD', not 'CLAW_DATA'",
    ),
    "another label, mounted in our place": (
        machine(replace(OURS, blkid=tags(label="OLD")), mounts=(mount(),)),
        "foreign",
        "labelled 'OLD', not 'CLAW_DATA'",
    ),
    "xfs with our label, mounted in our place": (
        machine(replace(OURS, blkid=tags("xfs")), mounts=(mount(kind="xfs"),)),
        "foreign",
        "a label alone is no proof",
    ),
    "a partition's entry in the table is no content": (
        machine(replace(BLANK, blkid=Answer(2, {"ID_PART_ENTRY_SCHEME": "gpt"}))),
        "blank",
        "is blank so far",
    ),
    "mounted elsewhere": (
        machine(OURS, mounts=(mount("/mnt/old"), mount("/media/x"))),
        "foreign",
        "is mounted at /media/x, /mnt/old, not at /srv/data",
    ),
    "a partition of it is mounted": (
        machine(
            replace(BLANK, partitions=("sdb1",)), PART, mounts=(mount("/home", number="8:17"),)
        ),
        "foreign",
        "is mounted at /home",
    ),
    "a stranger in our place": (
        machine(OURS, mounts=(mount(number="8:32", source="/dev/sdc", kind="xfs"),)),
        "foreign",
        "is not what is mounted at /srv/data: that is xfs from /dev/sdc",
    ),
    "only a folder of ours is mounted there": (
        machine(OURS, mounts=(replace(mount(), root="/sub"),)),
        "foreign",
        "is mounted at /srv/data only by its folder /sub",
    ),
    "a stranger over ours": (
        machine(OURS, mounts=(mount(), mount(number="0:50", source="tmpfs", kind="tmpfs"))),
        "foreign",
        "that is tmpfs from tmpfs",
    ),
    "in use as swap": (machine(BLANK, swaps=frozenset({"/dev/sdb"})), "foreign", "as swap"),
    "held by multipath": (
        machine(
            replace(BLANK, holders=("dm-0",)),
            BlockDevice("dm-0", "252:0", 1 << 30, mapping="mpatha", mapping_uuid="mpath-36002248a"),
        ),
        "foreign",
        "is held by multipath as dm-0 (mpatha)",
    ),
    "held by LVM": (
        machine(
            replace(BLANK, holders=("dm-1",)),
            BlockDevice("dm-1", "252:1", 1 << 30, mapping="tank-a", mapping_uuid="LVM-xyz"),
        ),
        "foreign",
        "is held by LVM as dm-1 (tank-a)",
    ),
    "held by an open LUKS container": (
        machine(
            replace(BLANK, holders=("dm-2",)),
            BlockDevice("dm-2", "252:2", 1 << 30, mapping="safe", mapping_uuid="CRYPT-LUKS2-x"),
        ),
        "foreign",
        "open LUKS container as dm-2 (safe)",
    ),
    "held by an encryption without a header": (
        machine(
            replace(BLANK, holders=("dm-3",)),
            BlockDevice("dm-3", "252:3", 1 << 30, mapping="scratch", mapping_uuid="CRYPT-PLAIN-x"),
        ),
        "foreign",
        "is held by cryptsetup as dm-3 (scratch)",
    ),
    "held by bcache": (
        machine(replace(BLANK, holders=("bcache0",)), BlockDevice("bcache0", "251:0", 1 << 30)),
        "foreign",
        "is held by bcache as bcache0",
    ),
    "one of two disks of a btrfs that is mounted as the other": (
        machine(
            replace(OURS, blkid=tags("btrfs"), btrfs="576a"),
            replace(OURS, name="sdc", number="8:32", node="/dev/sdc", blkid=None, btrfs="576a"),
            mounts=(mount("/mnt/pool", number="0:45", kind="btrfs", source="/dev/sdc"),),
        ),
        "foreign",
        "is mounted at /mnt/pool, not at /srv/data",
    ),
    "a disk of a btrfs that is mounted under a name that nobody knows": (
        machine(
            replace(OURS, blkid=tags("btrfs"), btrfs="576a"),
            mounts=(mount("/mnt/pool", number="0:45", kind="btrfs", source="/dev/disk/by-x/y"),),
        ),
        "foreign",
        "is part of a btrfs filesystem that is in use",
    ),
    "held by a RAID, through a partition": (
        machine(
            replace(BLANK, partitions=("sdb1",)), replace(PART, holders=("md127",)),
            BlockDevice("md127", "9:127", 1 << 30),
        ),
        "foreign",
        "is held by a Linux RAID as md127",
    ),
    "held by what nobody knows": (machine(replace(BLANK, holders=("xyz0",))), "foreign", "xyz0"),
    "read-only": (machine(replace(BLANK, read_only=True)), "foreign", "is read-only"),
    "too small": (machine(replace(BLANK, size=32 << 20)), "foreign", "at least 64.0 MiB"),
    "two disks with our label": (
        machine(OURS, replace(OURS, name="sdc", number="8:32", node="/dev/sdc")),
        "unknown",
        "so has /dev/sdc (1.0 GiB)",
    ),
    "another disk carries our label, ours is blank": (
        machine(
            BLANK,
            replace(OURS, name="sdc", number="8:32", node="/dev/sdc", wwns=frozenset({"5000c500"})),
        ),
        "unknown",
        "is not the only one with the label",
    ),
    "no node": (machine(replace(BLANK, node=None, blkid=None)), "unknown", "no node in /dev"),
    "no medium": (machine(replace(BLANK, size=0)), "unknown", "has no medium"),
    "blkid was not asked": (machine(replace(BLANK, blkid=None)), "unknown", "blkid did not"),
    "blkid could not read it, and ends with 2 as if nothing were there": (
        machine(replace(BLANK, blkid=Answer(2, said="blkid: error: /dev/sdb: Input/output error"))),
        "unknown",
        "Input/output error",
    ),
    "blkid took too long": (machine(replace(BLANK, blkid=Answer(124))), "unknown", "with 124"),
    "blkid is not there": (machine(replace(BLANK, blkid=Answer(127))), "unknown", "with 127"),
    "blkid is of two minds": (
        machine(
            replace(BLANK, blkid=Answer(8), signatures=(Signature("xfs", "0x0"),)),
        ),
        "foreign",
        "signatures that exclude each other (xfs at 0x0)",
    ),
    "wipefs was not asked": (machine(replace(BLANK, wipefs=None)), "unknown", "was not asked"),
    "wipefs failed": (machine(replace(BLANK, wipefs=Answer(1, said="no"))), "unknown", "'no'"),
    "wipefs finds what blkid does not": (
        machine(replace(BLANK, signatures=(Signature("zfs_member", "0x3f000"),))),
        "foreign",
        "zfs_member at 0x3f000, found by wipefs",
    ),
    "the kernel knows partitions": (
        machine(replace(BLANK, partitions=("sdb1",)), PART),
        "foreign",
        "has the partitions sdb1",
    ),
    "no samples": (machine(replace(BLANK, samples=())), "unknown", "cannot be read everywhere"),
    "a sample could not be read": (
        machine(replace(BLANK, samples=(*ZEROS, Sample(0, 1, 2)))),
        "unknown",
        "cannot be read everywhere",
    ),
    "a sample is not zeros": (
        machine(replace(BLANK, samples=(*ZEROS, Sample(4096, 512, 1, 4100, b"\0" * 4 + b"hi")))),
        "foreign",
        "byte 4100 is not zero (b'hi' begins there)",
    ),
    "a sample is not zeros, and it is not said where": (
        machine(replace(BLANK, samples=(*ZEROS, Sample(4096, 512, 1)))),
        "foreign",
        "between bytes 4096 and 4608",
    ),
    "a cut run's own bytes": (
        machine(
            replace(BLANK, samples=(*ZEROS, Sample(4096, 512, 1, 4100, b"x" * 512))),
            markers={"data": 1 << 30},
        ),
        "blank",
        "carries what a cut run began",
    ),
    "the marker is of a disk of another size": (
        machine(
            replace(BLANK, samples=(*ZEROS, Sample(4096, 512, 1, 4100, b"x" * 512))),
            markers={"data": 2 << 30},
        ),
        "foreign",
        "carries no signature but is not blank",
    ),
    "a signature beside a marker": (
        machine(replace(BLANK, blkid=tags("xfs", "")), markers={"data": 1 << 30}),
        "foreign",
        "a filesystem of type xfs",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("state", "kind", "says"), CASES.values(), ids=CASES)
def test_a_disk_by_its_state(state: Machine, kind: str, says: str) -> None:
    found = verdict(state, WANTED)
    assert (found.kind, says in str(found)) == (kind, True), str(found)
    assert bool(found.cure) == found.refused
    assert found.what.startswith("wwn-0x6002248a (/dev/sdb")


SELECTIONS = {
    "by serial": (Wanted("data", "L", "/srv/data", serial="SER1"), "blank", "/dev/sdb"),
    "by wwn, as udev writes it": (
        Wanted("data", "L", "/srv/data", wwn="0x6002248A"), "blank", "/dev/sdb"),
    "by wwn, as sysfs writes it": (
        Wanted("data", "L", "/srv/data", wwn="naa.6002248a"), "blank", "/dev/sdb"),
    "by a label that is there": (
        Wanted("cache", "CLAW_CACHE", "/srv/cache"), "adopt", "/dev/sdc"),
    "by a label that is not there": (
        Wanted("data", "CLAW_DATA", "/srv/data"), "unknown", "is on none of the machine's disks"),
    "by a serial that is not there": (
        Wanted("data", "L", "/srv/data", serial="SER9"), "unknown", "serial 'SER9'"),
    "by an id that is nearly there": (
        Wanted("data", "L", "/srv/data", by_id="wwn-0x6002248b"), "unknown", "wwn-0x6002248b"),
    "by an id whose disk is gone": (
        Wanted("data", "L", "/srv/data", by_id="usb-gone"), "unknown", "is not in /dev/disk/by-id"),
}  # fmt: skip


@pytest.mark.parametrize(("wanted", "kind", "says"), SELECTIONS.values(), ids=SELECTIONS)
def test_a_disk_by_its_selector(wanted: Wanted, kind: str, says: str) -> None:
    cache = replace(
        OURS, name="sdc", number="8:32", node="/dev/sdc", blkid=tags(label="CLAW_CACHE"),
        serials=frozenset({"SER2"}), wwns=frozenset(),
    )  # fmt: skip
    state = replace(machine(BLANK, cache), links={"wwn-0x6002248a": "sdb", "usb-gone": "sdz"})
    found = verdict(state, wanted)
    assert (found.kind, says in str(found)) == (kind, True), str(found)


def test_a_waiver_is_shown_with_its_reason() -> None:
    waived = replace(WANTED, waiver="new from the shop")
    found = verdict(machine(BLANK), waived)
    assert (found.proof, verdict(machine(BLANK), WANTED).proof) == ("sample", "full")
    # It speaks of a new disk, not of one on which a run was cut.
    resumed = verdict(machine(BLANK, markers={"data": 1 << 30}), waived)
    assert (resumed.proof, "all of it is read" in resumed.found) == ("full", True)
    assert found.found.endswith(
        "; instead of all of it (less than a minute at 150 MB/s) only a sample is read before it "
        "is formatted: new from the shop"
    )


@pytest.mark.parametrize(
    ("size", "cost"),
    [
        (64 << 20, "less than a minute"),
        (64 << 30, "about 8 min"),
        (1 << 40, "about 2.0 h"),
        (10**13, "about 18.5 h"),
    ],
)
def test_what_reading_a_disk_costs_is_told_beforehand(size: int, cost: str) -> None:
    found = verdict(machine(replace(BLANK, size=size)), WANTED).found
    assert f"all of it is read before it is formatted ({cost} at 150 MB/s)" in found


def test_cures_name_the_disk_as_it_is_named_after_a_reboot() -> None:
    stranger = replace(OURS, blkid=tags("xfs"))
    # A name that is made of what lies on the disk goes with it.
    named = {"lvm-pv-uuid-dMxmtG": "sdb", **machine(stranger).links}
    found = verdict(replace(machine(stranger), links=named), WANTED)
    assert found.cure.endswith("/dev/disk/by-id/scsi-36002248a`")
    assert found.what.startswith("wwn-0x6002248a (/dev/sdb")
    assert verdict(machine(stranger), WANTED).cure.endswith("/dev/disk/by-id/scsi-36002248a`")
    unnamed = replace(machine(stranger), links={"ata-a b": "sdb"})
    by_serial = Wanted("data", "CLAW_DATA", "/srv/data", serial="SER1")
    assert verdict(unnamed, by_serial).cure.endswith("/dev/sdb`")


def test_two_paths_to_one_disk_are_refused() -> None:
    twin = replace(BLANK, name="sdc", number="8:32", node="/dev/sdc")
    found = verdict(machine(BLANK, twin), Wanted("data", "L", "/srv/data", wwn="6002248a"))
    assert (found.kind, "more than one disk" in found.found) == ("unknown", True)
    found = verdict(machine(BLANK, twin), WANTED)
    assert found.kind == "unknown"
    assert "the only disk with the world-wide name 6002248a: so has /dev/sdc" in found.found


def test_disks_of_one_series_are_not_paths_to_one_disk() -> None:
    one, other = (frozenset({"60022480aaaaaaaa", f"60022480aaaaaaaa{i}"}) for i in range(2))
    second = replace(BLANK, name="sdc", number="8:32", node="/dev/sdc", wwns=other)
    assert verdict(machine(replace(BLANK, wwns=one), second), WANTED).kind == "blank"


def test_paths_that_multipath_maps_are_one_disk() -> None:
    paths = [
        replace(OURS, name=name, number=number, node=f"/dev/{name}", holders=("dm-0",))
        for name, number in (("sdb", "8:16"), ("sdc", "8:32"))
    ]
    mapped = BlockDevice(
        "dm-0", "252:0", 1 << 30, "/dev/dm-0",
        mapping="mpatha", mapping_uuid="mpath-36002248a", blkid=tags(),
    )  # fmt: skip
    state = replace(machine(*paths, mapped), links={"dm-uuid-mpath-36002248a": "dm-0"})
    for wanted in (
        replace(WANTED, by_id="", wwn="6002248a"),
        replace(WANTED, by_id="", serial="SER1"),
    ):
        found = verdict(state, wanted)
        assert (found.kind, found.found) == ("foreign", "is held by multipath as dm-0 (mpatha)")
        assert "select it as by_id 'dm-uuid-mpath-36002248a'" in found.cure
    for wanted in (replace(WANTED, by_id="dm-uuid-mpath-36002248a"), replace(WANTED, by_id="")):
        assert verdict(state, wanted).kind == "adopt"


def test_the_cure_for_multipath_names_the_wwid() -> None:
    state, _kind, _says = CASES["held by multipath"]
    assert 'blacklist { wwid "36002248a" }' in verdict(state, WANTED).cure


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0.0 bytes"), (1023, "1023.0 bytes"), (1 << 20, "1.0 MiB"), (3 << 39, "1.5 TiB")],
)
def test_sizes_as_people_read_them(size: int, shown: str) -> None:
    assert shown_size(size) == shown
