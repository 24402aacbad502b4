"""The words of QEMU's command line: what hardware a lab's virtual machine has.

All paths but that of the pid file are relative to the lab's folder, in which QEMU is started: so
none can be too long for a socket's address, and a comma in one cannot end an option.
"""

import json
import re
from collections.abc import Iterable

from clup.lab.errors import LabError
from clup.lab.machine import Disk, Lab

PROGRAM = "qemu-system-x86_64"
CONSOLE = "console.log"
QMP = "qmp"
PID_FILE = "qemu.pid"
SEED = "seed.tar"
SEED_NAME = "opt/org.clup/seed"  # inside/lab-seed reads it
OVERLAY = "root.qcow2"
IMAGE = "image"
KVM = ("-accel", "kvm", "-cpu", "host", "-smp", "2")
# Translated code is kept in tb-size MB. The plainest processor is the fastest to emulate: with
# "max" a boot took 25 s instead of 18, a write of 200 MB 2.4 s instead of 1.3. Two of them wait for
# each other where this machine has other work: a plan took 14 s of its time, not 10.
EMULATED = ("-accel", "tcg,tb-size=1024", "-cpu", "qemu64", "-smp", "1")
# The kernel's own parameters; net.ifnames=0 names the only network card eth0. Mitigations would
# keep the machine's own programs apart, and cost an emulated one a tenth of its speed.
PARAMETERS = "console=ttyS0 net.ifnames=0 quiet mitigations=off"
# virtio has 20 bytes for a serial; udev names the disk virtio-SERIAL below /dev/disk/by-id.
SERIAL = re.compile(r"virtio-([A-Za-z0-9._-]{1,20})")
MOST_DISKS = 24  # of the 32 slots of the machine's bus; the rest are the machine's own


def serial(disk: str) -> str:
    """Given a disk's id, return the serial that gives it this id. Raise LabError if none does."""
    if found := SERIAL.fullmatch(disk):
        return found[1]
    raise LabError(
        f"{disk!r} is no id that a disk of a virtual machine gets",
        "the lab's disks",
        "use 'virtio-' and at most 20 letters, digits and . _ -, such as 'virtio-LABDATA'",
    )


def checked(disks: tuple[Disk, ...]) -> None:
    """Given the disks for a virtual machine, raise LabError unless it can have them all.

    Those that are detached take no room.
    """
    for disk in disks:
        serial(disk.id)
    attached = sum(disk.attached for disk in disks)
    if attached > MOST_DISKS:
        raise LabError(
            f"{attached} disks are more than a virtual machine has room for",
            "the lab's disks",
            f"use at most {MOST_DISKS}",
        )


def node(disk: Disk) -> str:
    """Given a disk, return the name that it has within QEMU."""
    return f"disk-{serial(disk.id)}"


def medium(lab: Lab, disk: Disk) -> dict[str, object]:
    """Given a lab and a disk of it, return what holds the disk's bytes, for blockdev-add.

    What the guest writes is in this machine's page cache when its request ends. What the guest
    discards becomes a hole of the file.
    """
    file = {"driver": "file", "filename": str(lab.disk_file(disk.id)), "discard": "unmap"}
    return {
        "driver": "raw",
        "node-name": node(disk),
        "read-only": disk.read_only,
        "discard": "unmap",
        "file": file,
    }


def device(disk: Disk) -> dict[str, object]:
    """Given a disk, return the device that the guest sees, for device_add."""
    name = node(disk)
    return {"driver": "virtio-blk-pci", "id": name, "drive": name, "serial": serial(disk.id)}


def argv(lab: Lab, accelerator: Iterable[str]) -> list[str]:
    """Given a lab with its image and overlay, and how to run its code, return the command line.

    QEMU detaches itself once the machine has been made; what is wrong it says before.
    """
    root = {"driver": "qcow2", "node-name": "root", "discard": "unmap"}
    root_file = {"driver": "file", "filename": OVERLAY, "discard": "unmap"}
    disks = [disk for disk in lab.disks if disk.attached]
    return [
        PROGRAM,
        *("-name", f"lab-{lab.name}"),
        *("-nodefaults", "-no-user-config", "-display", "none"),
        *("-machine", "pc"),
        *accelerator,
        *("-m", "2048"),
        *("-kernel", f"{IMAGE}/vmlinuz", "-initrd", f"{IMAGE}/initrd", "-append", PARAMETERS),
        *("-blockdev", json.dumps({**root, "file": root_file})),
        *("-device", "virtio-blk-pci,drive=root"),
        *("-netdev", f"user,id=net,ipv6=off,hostfwd=tcp:{lab.address}:{lab.port}-:22"),
        *("-device", "virtio-net-pci,netdev=net,romfile="),
        *("-device", "virtio-rng-pci"),
        *("-chardev", f"file,id=console,path={CONSOLE},append=on", "-serial", "chardev:console"),
        *("-qmp", f"unix:{QMP},server=on,wait=off"),
        *("-fw_cfg", f"name={SEED_NAME},file={SEED}"),
        *(word for disk in disks for word in ("-blockdev", json.dumps(medium(lab, disk)))),
        *(word for disk in disks for word in ("-device", json.dumps(device(disk)))),
        *("-pidfile", str(lab.folder / PID_FILE)),
        "-daemonize",
    ]
