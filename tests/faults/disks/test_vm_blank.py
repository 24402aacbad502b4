"""Blank disks on a virtual machine: selected in every way, formatted once, and never again; and the
proof that they are blank, on disks that fail and on disks that change after the plan.

The tests run in the order in which they stand, on one virtual machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pytest

from clup import lab
from tests.faults.disks.loops import MIB
from tests.faults.disks.vm_disks import (
    failing,
    forget_multipath,
    multipath_map,
    nvme_disk,
    scsi_disks,
)
from tests.faults.disks.vm_machine import (
    HUGE,
    JUDGED,
    WAIVER,
    Filesystems,
    about,
    apply_and,
    make,
    sha256,
    storage,
    told,
    when_read,
)
from tests.lab.command import Answer, on_machine

DISKS = ()
SAMPLED = "virtio-SAMPLED"
SAMPLE_SECONDS = 900
MIDDLE = 33 * MIB
PULLED = "was pulled out before byte "
NOT_READ = "cannot be read (Input/output error); look at `dmesg`; the disk is untouched"


def formatted_once(box: lab.Lab, wanted: Filesystems) -> None:
    """Assert that one apply makes the filesystems, and no later one, whatever clup forgot."""
    first = storage(box, "apply", wanted)
    assert first.exit == 0, first.stderr
    assert first.operations("changed") >= {f"storage: {make(name)}" for name in wanted}
    on_machine(box, "".join(f"echo kept >/srv/{name}/file\n" for name in wanted))
    before = uuids(box, wanted)
    second = storage(box, "apply", wanted)
    assert (second.exit, second.operations("changed")) == (0, set())
    on_machine(box, f"umount {places(wanted)}; rm /var/lib/clup/storage/*")
    third = storage(box, "apply", wanted)
    assert third.exit == 0, third.stderr
    for name in wanted:
        assert about(told(third, JUDGED), name).startswith(f"{name}: adopt: ")
    assert uuids(box, wanted) == before
    assert on_machine(box, "cat /srv/*/file") == "kept\n" * len(wanted)
    on_machine(box, f"umount {places(wanted)}")


def places(names: Iterable[str]) -> str:
    return " ".join(f"/srv/{name}" for name in names)


def uuids(box: lab.Lab, names: Iterable[str]) -> dict[str, str]:
    """Return the UUID of what is mounted for each filesystem."""
    return {name: on_machine(box, f"findmnt -no UUID /srv/{name}") for name in names}


def test_blank_disks_are_formatted_once(box: lab.Lab) -> None:
    """Selected by their id, by a serial, and by a world-wide name, which an NVMe's path has too;
    one of 1 TiB after a sample, as all of it would take two hours to read."""
    lab.disk_add(box.name, "virtio-BLANK", 64 * MIB)
    lab.disk_add(box.name, SAMPLED, HUGE.size)
    first, second = scsi_disks(box, "add_host=2", "per_host_store=1")
    wanted: Filesystems = {
        "by-id": {"by_id": "virtio-BLANK"},
        "serial": {"serial": first.serial},
        "wwn": {"wwn": second.wwn},
        "nvme": {"wwn": nvme_disk(box)},
        "huge": {"by_id": SAMPLED, "proof": "sample", "waiver": WAIVER},
    }
    began = time.monotonic()
    formatted_once(box, wanted)
    assert time.monotonic() - began < SAMPLE_SECONDS
    lab.disk_detach(box.name, "virtio-BLANK")
    lab.disk_detach(box.name, SAMPLED)


def test_two_paths_to_one_disk_are_refused(box: lab.Lab) -> None:
    """Whichever way they are selected: the proof would hold one of them, and not the other."""
    first, second = scsi_disks(box, "add_host=2", "vpd_use_hostno=0")
    assert (first.serial, first.wwn) == (second.serial, second.wwn)
    ways = {
        "serial": "is on more than one disk: ",
        "wwn": "is on more than one disk: ",
        "by_id": "is not the only disk with the world-wide name ",
    }
    values = {"serial": first.serial, "wwn": first.wwn, "by_id": f"wwn-{first.wwn}"}
    before = sha256(box, first.path)
    wanted = {way.replace("_", "-"): {way: values[way]} for way in ways}
    answer = storage(box, "apply", wanted)
    assert answer.exit == 1
    for way, says in ways.items():
        line = about(told(answer, JUDGED), way.replace("_", "-"))
        assert ": unknown: " in line
        assert says in line
    assert sha256(box, first.path) == sha256(box, second.path) == before


def test_paths_that_multipath_maps_are_refused_and_their_map_is_formatted_once(
    box: lab.Lab,
) -> None:
    first, _second = scsi_disks(box, "add_host=2", "vpd_use_hostno=0")
    map_ = multipath_map(box)
    before = sha256(box, first.path)
    ways = {
        "serial": {"serial": first.serial},
        "wwn": {"wwn": first.wwn},
        "by-id": {"by_id": f"wwn-{first.wwn}"},
    }
    answer = storage(box, "apply", ways)
    assert answer.exit == 1
    for way in ways:
        line = about(told(answer, JUDGED), way)
        assert line.startswith(f"{way}: foreign: ")
        assert "is held by multipath as dm-" in line
        assert f"select it as by_id '{map_}'" in line
    assert sha256(box, first.path) == before
    formatted_once(box, {"mapped": {"by_id": map_}})
    forget_multipath(box)


def left_alone(answer: Answer, name: str, says: str) -> None:
    """Assert that a disk which the plan had found blank so far was refused by the proof."""
    assert answer.exit == 1
    assert about(told(answer, JUDGED), name).startswith(f"{name}: blank: ")
    assert says in str(told(answer, make(name)))
    assert f"storage: {make(name)}" not in answer.operations("changed")


def test_a_disk_with_an_error_at_its_end_is_unknown(box: lab.Lab) -> None:
    """Neither the end of a SCSI disk nor that of a mapping can be read: the plan says so."""
    failing(box, "end", at=64 * MIB - 4096)
    (disk,) = scsi_disks(box, "opts=2", f"medium_error_start={64 * 2048 - 8}")
    wanted = {"mapping": {"by_id": "dm-name-end"}, "scsi": {"wwn": disk.wwn}}
    look = f"ls -A /srv; sync; sha256sum </root/end.img; head -c {63 * MIB} {disk.path} | sha256sum"
    before = on_machine(box, look)
    for command in ("plan", "apply"):
        answer = storage(box, command, wanted)
        assert answer.exit == 1
        for name in wanted:
            assert about(told(answer, JUDGED), name).startswith(f"{name}: unknown: ")
    assert on_machine(box, look) == before


def test_an_error_in_the_middle_of_a_mapping_ends_the_proof(box: lab.Lab) -> None:
    """dm-error, at a place that a plan does not read."""
    failing(box, "middle", at=MIDDLE)
    before = on_machine(box, "sha256sum </root/middle.img")
    answer = storage(box, "apply", {"middle": {"by_id": "dm-name-middle"}})
    left_alone(answer, "middle", NOT_READ)
    assert on_machine(box, "sync; sha256sum </root/middle.img") == before


def test_an_error_in_the_middle_of_a_disk_ends_the_proof(box: lab.Lab) -> None:
    """A SCSI disk says that it cannot read one of its sectors, at a place like that."""
    at = f"medium_error_start={MIDDLE // 512}"
    (disk,) = scsi_disks(box, "opts=2", at, "medium_error_count=1")
    answer = storage(box, "apply", {"medium": {"wwn": disk.wwn}})
    left_alone(answer, "medium", "cannot be read (medium error); look at `dmesg`; the disk is unt")
    on_machine(box, "echo 0 >/sys/bus/pseudo/drivers/scsi_debug/opts")
    assert on_machine(box, f"cmp -n {64 * MIB} {disk.path} /dev/zero") == ""


def test_what_was_written_after_the_plan_is_found_by_the_proof(box: lab.Lab) -> None:
    """Three bytes, at a place that a plan does not read."""
    (disk,) = scsi_disks(box)
    wanted = {"changed": {"serial": disk.serial}}
    assert about(told(storage(box, "plan", wanted), JUDGED), "changed").startswith("changed: blank")
    on_machine(box, f"printf key | dd of={disk.path} bs=1 seek={MIDDLE} conv=fsync status=none")
    before = sha256(box, disk.path)
    answer = storage(box, "apply", wanted)
    left_alone(answer, "changed", f"byte {MIDDLE} is not zero (b'key' begins there)")
    assert sha256(box, disk.path) == before


@pytest.mark.parametrize(
    ("what", "writes", "says"),
    [
        ("bytes", f"printf key | dd of=$disk bs=1 seek={MIDDLE} conv=fsync", "is not zero (b'key'"),
        ("photos", "mke2fs -q -t ext4 -L PHOTOS $disk", "holds an ext4 filesystem labelled 'PHOT"),
    ],
    ids=["bytes", "a filesystem"],
)
def test_what_is_written_while_another_disk_is_read_is_found(
    box: lab.Lab, what: str, writes: str, says: str
) -> None:
    """Both were blank so far when they were judged. The proof of the first stands still then."""
    slow = f"virtio-SLOW-{what}"
    lab.disk_add(box.name, slow, 2 << 30)
    (disk,) = scsi_disks(box)
    wanted = {f"slow-{what}": {"by_id": slow}, what: {"serial": disk.serial}}
    hashed = [sha256(box, disk.path)]

    def write() -> None:
        when_read(box, slow, f"kill -STOP $pid; disk={disk.path}\n{writes}")
        hashed.append(sha256(box, disk.path))
        when_read(box, slow, "kill -CONT $pid")

    answer = apply_and(box, wanted, write)
    left_alone(answer, what, says)
    assert f"storage: {make(f'slow-{what}')}" in answer.operations("changed")
    blank, written = hashed
    assert blank != written == sha256(box, disk.path)
    lab.disk_detach(box.name, slow)


@pytest.mark.parametrize("bus", ["scsi", "virtio"])
def test_a_disk_that_is_pulled_out_while_it_is_read(box: lab.Lab, bus: str) -> None:
    """By the hypervisor, or by the machine's own kernel; both disks take hours to read."""
    fine, gone = f"fine-{bus}", f"gone-{bus}"
    lab.disk_add(box.name, f"virtio-{fine}", 64 * MIB)
    is_virtio = bus == "virtio"
    if is_virtio:
        lab.disk_add(box.name, HUGE.id, HUGE.size)
    (disk,) = scsi_disks(box, "virtual_gb=1024")
    selected = HUGE.id if is_virtio else disk.serial
    wanted = {
        fine: {"by_id": f"virtio-{fine}"},
        gone: {"by_id" if is_virtio else "serial": selected},
    }

    def as_written() -> tuple[int, int] | None:
        """What tells whether the file behind the big disk was written to, which none can hash."""
        if not is_virtio:
            return None
        file = box.disk_file(HUGE.id).stat()
        return file.st_blocks, file.st_mtime_ns

    before = as_written()

    def pull() -> None:
        when_read(
            box, selected, "" if is_virtio else f"echo 1 >/sys/block/{disk.name}/device/delete"
        )
        if is_virtio:
            lab.disk_detach(box.name, HUGE.id)

    answer = apply_and(box, wanted, pull)
    left_alone(answer, gone, PULLED)
    assert as_written() == before
    again = storage(box, "apply", wanted)
    assert (again.exit, again.operations("changed")) == (1, set())
    missing = "is not in /dev/disk/by-id" if is_virtio else "is on none of the machine's disks"
    assert missing in about(told(again, JUDGED), gone)
    rest = storage(box, "apply", {fine: wanted[fine]})
    assert rest.exit == 0
    assert f"storage: {make(fine)}" not in rest.operations("changed")
    on_machine(box, f"findmnt /srv/{fine}; umount /srv/{fine}")
    lab.disk_detach(box.name, f"virtio-{fine}")


@pytest.mark.parametrize("wanted", [{"by_id": HUGE.id}], ids=["1 TiB"])
def test_what_a_full_read_costs_is_told_beforehand(box: lab.Lab, wanted: dict[str, Any]) -> None:
    """1 TiB: two hours. With a waiver a sample is read, and the plan says why."""
    lab.disk_add(box.name, HUGE.id)
    line = about(told(storage(box, "plan", {"huge": wanted}), JUDGED), "huge")
    assert "1.0 TiB" in line
    assert "all of it is read before it is formatted (about 2.0 h at 150 MB/s)" in line
    waived = wanted | {"proof": "sample", "waiver": WAIVER}
    line = about(told(storage(box, "plan", {"huge": waived}), JUDGED), "huge")
    assert "instead of all of it (about 2.0 h at 150 MB/s) only a sample is read" in line
    assert line.endswith("new from the shop")
