"""The kind "vm": a lab whose machine is a virtual one of QEMU's, with a kernel of its own.

The lab's folder in QEMU's command line tells whose machine a process is, also after a crash.
"""

import contextlib
import os
import platform
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from clup.lab import accel, image, machine, needs, qemu, vm_image
from clup.lab.belongings import belongings
from clup.lab.commands import run
from clup.lab.errors import LabError
from clup.lab.machine import Disk, Lab
from clup.lab.processes import processes
from clup.lab.qmp import monitor
from clup.lab.say import Say
from clup.lab.tree import Entry, packed

BOOT_SECONDS = 300.0
STOP_SECONDS = 120.0
ASK_AGAIN_SECONDS = 5.0
KILL_SECONDS = 20.0
START_CURE = "`clup lab down`, then `clup lab up`, makes it anew"
ESCAPES = re.compile(r"\x1b(\[[0-9;?!]*[A-Za-z]|[78cM])")


def needed() -> tuple[needs.Need, ...]:
    """Return what must be on the operator's machine."""
    return needs.VM


def check(lab: Lab) -> None:
    """Given a lab that shall be made, raise LabError unless this kind can have its disks."""
    qemu.checked(lab.disks)


def prepare(say: Say) -> None:
    """See to it that this machine can have such labs at all."""
    if platform.machine() != "x86_64":
        raise LabError(
            f"a virtual machine is for x86_64, and this is {platform.machine()}",
            "this machine",
            "use `--kind container`",
        )


def make(lab: Lab, say: Say) -> None:
    """Given a lab with keys and no machine, make the machine and boot it."""
    vm_image.link(lab, vm_image.ensure(lab.suite, lab.packages, say))
    name = Entry("etc/hostname", 0o644, f"lab-{lab.name}\n".encode())
    hosts = f"127.0.0.1\tlocalhost\n127.0.1.1\tlab-{lab.name}\n".encode()
    seed = (*belongings(lab), name, Entry("etc/hosts", 0o644, hosts))
    (lab.folder / qemu.SEED).write_bytes(packed(seed))
    backing = ("-b", f"{qemu.IMAGE}/root.img", "-F", "raw")
    overlay = str(lab.folder / qemu.OVERLAY)
    run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, overlay], cure=START_CURE)
    start(lab, say)


def start(lab: Lab, say: Say) -> None:
    """Given a lab that is stopped, boot it with its disks."""
    for disk in lab.disks:
        machine.make_disk(lab, disk)
    words = accel.accelerator((lab.folder / qemu.IMAGE).resolve(), say)
    # QEMU goes on for as long as the lab is up: it must not keep what our commands inherit.
    run(qemu.argv(lab, words), cwd=lab.folder, inherits=False, cure=START_CURE)


def stop(lab: Lab) -> None:
    """Given a lab, shut its machine down, as its power button does. Raise LabError."""
    end = time.monotonic() + STOP_SECONDS
    while pid_of(lab.folder) is not None:
        if time.monotonic() > end:
            raise LabError(
                f"not off {STOP_SECONDS:g} s after its power button was pressed",
                f"lab {lab.name}",
                f"see {lab.folder / qemu.CONSOLE}; `clup lab cut` pulls the plug",
            )
        # A machine that boots does not heed its button yet; one that goes down hangs up on us.
        with contextlib.suppress(LabError), monitor(lab.folder) as qmp:
            qmp.execute("system_powerdown")
        gone(lab.folder, ASK_AGAIN_SECONDS)


def cut(lab: Lab) -> None:
    """Given a lab, take its power away: nothing in there gets to write another byte."""
    kill(lab.folder)


def attach(lab: Lab, disk: Disk) -> None:
    """Given a lab that runs and a disk, put the disk in, blank if it is new. Raise LabError."""
    machine.make_disk(lab, disk)
    with monitor(lab.folder) as qmp:
        qmp.execute("blockdev-add", qemu.medium(lab, disk))
        qmp.execute("device_add", qemu.device(disk))


def detach(lab: Lab, disk: Disk) -> None:
    """Given a lab that runs and a disk that it has, pull the disk out. Raise LabError."""
    name = qemu.node(disk)
    with monitor(lab.folder) as qmp:
        qmp.execute("device_del", {"id": name})
        qmp.wait_for("DEVICE_DELETED", name)
        qmp.execute("blockdev-del", {"node-name": name})


def remove(folder: Path, say: Say) -> None:
    """Given a lab's folder, end its machine, if there is one."""
    image.discard_scratch()
    kill(folder)


def after_last(say: Say) -> None:
    """Nothing of a machine outlives it. The images stay in their folder, for the next `up`."""


def running() -> frozenset[Path]:
    """Return the folders of the labs whose machine runs."""
    return frozenset(machines().values())


def last_words(lab: Lab) -> str:
    """Given a lab that does not answer, return what its machine said last."""
    console = lab.folder / qemu.CONSOLE
    text = console.read_bytes()[-4000:].decode(errors="replace") if console.exists() else ""
    lines = (ESCAPES.sub("", line).strip() for line in text.splitlines())
    return "\n".join([line for line in lines if line][-5:])


def machines() -> dict[int, Path]:
    """Return the folder of each lab whose machine runs, by the process that is the machine."""
    found = ((pid, folder_of(argv)) for pid, argv in processes().items())
    return {pid: folder for pid, folder in found if folder is not None}


def folder_of(argv: list[str]) -> Path | None:
    """Given a process's command line, return the lab's folder if it is the machine of one."""
    if not argv or Path(argv[0]).name != qemu.PROGRAM or "-pidfile" not in argv[:-1]:
        return None
    pid_file = Path(argv[argv.index("-pidfile") + 1])
    return pid_file.parent if pid_file.name == qemu.PID_FILE else None


def pid_of(folder: Path) -> int | None:
    """Given a lab's folder, return the process that is its machine, None if it does not run."""
    return next((pid for pid, theirs in machines().items() if theirs == folder), None)


def kill(folder: Path) -> None:
    """Given a lab's folder, end its machine at once, and wait until it is gone. Raise LabError."""
    end = time.monotonic() + KILL_SECONDS
    # Again and again: while it becomes a daemon, its process is one and then that one's child.
    while not gone(folder, 0):
        if time.monotonic() > end:
            raise LabError(
                f"its QEMU has not ended {KILL_SECONDS:g} s after SIGKILL",
                f"lab {folder.name}",
                "see `ps` for what it waits, then run this again",
            )
        with held(folder) as process:
            if process is not None:
                signal.pidfd_send_signal(process, signal.SIGKILL)
    for name in (qemu.PID_FILE, qemu.QMP):
        (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[int | None]:
    """Given a lab's folder, hold on to the process that is its machine, None if it does not run.

    A pid may be given to another process meanwhile; what is held stays the one that was asked for.
    """
    pid = pid_of(folder)
    try:
        descriptor = None if pid is None else os.pidfd_open(pid)
    except ProcessLookupError:
        descriptor = None
    try:
        yield descriptor if pid_of(folder) == pid else None
    finally:
        if descriptor is not None:
            os.close(descriptor)


def gone(folder: Path, seconds: float) -> bool:
    """Given a lab's folder, wait until its machine has ended. Return whether it did in time."""
    end = time.monotonic() + seconds
    while pid_of(folder) is not None:
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
