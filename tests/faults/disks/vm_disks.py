"""Disks that a virtual machine's own kernel makes: SCSI, NVMe, mappings, and maps of multipath."""

from __future__ import annotations

import json
from dataclasses import dataclass

from clup import lab
from tests.faults.disks.loops import MIB
from tests.lab.command import on_machine


@dataclass(frozen=True)
class Scsi:
    """A SCSI disk of 64 MiB that the machine's kernel simulates: its name, serial and WWN."""

    name: str
    serial: str
    wwn: str

    @property
    def path(self) -> str:
        return f"/dev/{self.name}"


def scsi_disks(box: lab.Lab, *options: str) -> list[Scsi]:
    """Simulate new SCSI disks, blank, with these options of scsi_debug, instead of those before."""
    on_machine(
        box,
        "udevadm settle; rmmod scsi_debug 2>/dev/null || true\n"
        f"modprobe scsi_debug dev_size_mb=64 delay=0 {' '.join(options)}\n"
        "udevadm settle",
    )
    listed = json.loads(on_machine(box, "lsblk --scsi --json --output NAME,SERIAL,WWN,MODEL"))
    return [
        Scsi(one["name"], one["serial"], one["wwn"])
        for one in listed["blockdevices"]
        if one["model"] == "scsi_debug"
    ]


def failing(box: lab.Lab, name: str, at: int) -> None:
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


def nvme_disk(box: lab.Lab) -> str:
    """Make an NVMe disk with a controller of the kernel's own, blank, and return its WWN.

    The disk is seen through the controller, and its one path is hidden.
    """
    return on_machine(box, _NVME).strip()


def multipath_map(box: lab.Lab) -> str:
    """Have multipathd map a simulated disk of two paths, and return the by-id name of its map."""
    return on_machine(box, _MAP).strip()


def forget_multipath(box: lab.Lab) -> None:
    """End multipathd and what it knows: it would take the next simulated disk for that one."""
    on_machine(
        box,
        "multipath -F; systemctl stop multipathd.socket multipathd.service\n"
        "rm -rf /etc/multipath.conf /etc/multipath",
    )


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
