"""Blank disks as settings select them, where udev names them: formatted once, and never again.

The tests run in the order in which they stand, on one virtual machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from clup import lab
from tests.faults.disks.loops import MIB
from tests.faults.disks.vm_machine import (
    HUGE,
    JUDGED,
    WAIVER,
    Filesystems,
    about,
    make,
    scsi_disks,
    sha256,
    storage,
    told,
)
from tests.lab.command import on_machine

DISKS = ()
SAMPLE_SECONDS = 900


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
    lab.disk_add(box.name, HUGE.id, HUGE.size)
    first, second = scsi_disks(box, "add_host=2", "per_host_store=1")
    wanted: Filesystems = {
        "by-id": {"by_id": "virtio-BLANK"},
        "serial": {"serial": first.serial},
        "wwn": {"wwn": second.wwn},
        "nvme": {"wwn": on_machine(box, _NVME).strip()},
        "huge": {"by_id": HUGE.id, "proof": "sample", "waiver": WAIVER},
    }
    began = time.monotonic()
    formatted_once(box, wanted)
    assert time.monotonic() - began < SAMPLE_SECONDS
    lab.disk_detach(box.name, "virtio-BLANK")
    lab.disk_detach(box.name, HUGE.id)


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
    map_ = on_machine(box, _MAP).strip()
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
    on_machine(box, "multipath -F; systemctl stop multipathd.socket multipathd.service")


# A controller of the kernel's own; the disk is seen through it, and its one path is hidden.
_NVME = """
modprobe -a nvme-loop nvme-fabrics
cd /sys/kernel/config/nvmet
mkdir subsystems/one subsystems/one/namespaces/1 ports/1
truncate -s 64M /root/nvme.img
printf /root/nvme.img >subsystems/one/namespaces/1/device_path
for switch in subsystems/one/namespaces/1/enable subsystems/one/attr_allow_any_host; do
    echo 1 >$switch
done
echo loop >ports/1/addr_trtype
ln -s "$PWD/subsystems/one" ports/1/subsystems/one
printf transport=loop,nqn=one >/dev/nvme-fabrics
udevadm wait --timeout=30 /dev/nvme0n1
udevadm settle
cat /sys/block/nvme0c0n1/wwid
"""

_MAP = """
printf 'defaults {\n find_multipaths yes\n user_friendly_names yes\n}\n' >/etc/multipath.conf
systemctl start multipathd.service
for _ in $(seq 100); do
    udevadm settle
    map=$(ls /dev/disk/by-id | grep -x 'dm-uuid-mpath-.*scsi_debug.*') && break
    sleep 0.2
done
test -n "$map"; echo "$map"
"""
