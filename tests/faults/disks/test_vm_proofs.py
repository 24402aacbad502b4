"""The proof on real devices: disks that fail, and disks that change after the plan.

The tests run in the order in which they stand, on one virtual machine.
"""

from __future__ import annotations

from typing import Any

import pytest

from clup import lab
from tests.faults.disks.vm_kinds import KINDS
from tests.faults.disks.vm_machine import (
    HUGE,
    JUDGED,
    about,
    scsi_disks,
    sha256,
    storage,
    told,
)
from tests.lab.command import Answer, on_machine

MIB = 1 << 20
MIDDLE = 33 * MIB
NOT_READ = "cannot be read (Input/output error); look at `dmesg`; the disk is untouched"


@pytest.fixture(scope="module")
def box(vm: lab.Lab) -> lab.Lab:
    """The machine without the disks of all kinds, which every reading would read again."""
    for kind in KINDS:
        lab.disk_detach(vm.name, kind.disk.id)
    return vm


def make(name: str) -> str:
    return f"Make or adopt the filesystem CLAW_{name.upper()}"


def left_alone(answer: Answer, name: str, says: str) -> None:
    """Assert that a disk which the plan had found blank so far was refused by the proof."""
    assert answer.exit == 1
    assert about(told(answer, JUDGED), name).startswith(f"{name}: blank: ")
    assert says in str(told(answer, make(name)))
    assert f"storage: {make(name)}" not in answer.operations("changed")


def test_a_disk_with_an_error_at_its_end_is_unknown(box: lab.Lab) -> None:
    """Neither the end of a SCSI disk nor that of a mapping can be read: the plan says so."""
    _failing(box, "end", at=64 * MIB - 4096)
    (disk,) = scsi_disks(box, "opts=2", f"medium_error_start={64 * 2048 - 8}")
    wanted = {"mapped": {"by_id": "dm-name-end"}, "scsi": {"wwn": disk.wwn}}
    for command in ("plan", "apply"):
        answer = storage(box, command, wanted)
        assert answer.exit == 1
        for name in wanted:
            assert about(told(answer, JUDGED), name).startswith(f"{name}: unknown: ")
    assert on_machine(box, "ls -A /srv") == ""


def test_an_error_in_the_middle_of_a_mapping_ends_the_proof(box: lab.Lab) -> None:
    """dm-error, at a place that a plan does not read."""
    _failing(box, "middle", at=MIDDLE)
    before = on_machine(box, "sha256sum </root/middle.img")
    answer = storage(box, "apply", {"middle": {"by_id": "dm-name-middle"}})
    left_alone(answer, "middle", NOT_READ)
    assert on_machine(box, "sync; sha256sum </root/middle.img") == before


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


@pytest.mark.parametrize("wanted", [{"by_id": HUGE.id}], ids=["1 TiB"])
def test_what_a_full_read_costs_is_told_beforehand(box: lab.Lab, wanted: dict[str, Any]) -> None:
    """1 TiB: two hours. With a waiver a sample is read, and the plan says why."""
    line = about(told(storage(box, "plan", {"huge": wanted}), JUDGED), "huge")
    assert "1.0 TiB" in line
    assert "all of it is read before it is formatted (about 2.0 h at 150 MB/s)" in line
    waived = wanted | {"proof": "sample", "waiver": "new from the shop"}
    line = about(told(storage(box, "plan", {"huge": waived}), JUDGED), "huge")
    assert "instead of all of it (about 2.0 h at 150 MB/s) only a sample is read" in line
    assert line.endswith("new from the shop")


def _failing(box: lab.Lab, name: str, at: int) -> None:
    """Have a mapping of 64 MiB, blank, of which 4 KiB at this byte cannot be read."""
    first, last = at // 512, 64 * MIB // 512
    table = f"0 {first} linear $loop 0\n{first} 8 error\n"
    if first + 8 < last:
        table += f"{first + 8} {last - first - 8} linear $loop {first + 8}\n"
    on_machine(
        box,
        f"truncate -s {64 * MIB} /root/{name}.img; loop=$(losetup -f --show /root/{name}.img)\n"
        f'printf "{table}" | dmsetup create {name}; udevadm settle',
    )
