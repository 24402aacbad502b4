"""A lab's disks: sparse files behind loop devices of the operator's machine.

The file is what remembers a loop device: from it the device is found again, also after a crash.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from clup.lab import machine
from clup.lab.commands import as_root, attempt, run
from clup.lab.errors import LabError
from clup.lab.machine import Disk, Lab

LOOP_CURE = "check that this machine has loop devices (`losetup --find` names a free one)"
DETACH_SECONDS = 20.0


@dataclass(frozen=True)
class Loop:
    """A loop device: its node on the operator's machine, its numbers, the file behind it."""

    node: Path
    major: int
    minor: int
    file: Path


def parse_loops(text: str) -> list[Loop]:
    """Given what `losetup --list --json` said (nothing when there are none), return the devices.

    The kernel appends " (deleted)" to the name of a file that is gone; that device still counts.
    """
    if not text.strip():
        return []
    found = []
    for entry in json.loads(text)["loopdevices"]:
        major, minor = entry["maj:min"].strip().split(":")
        file = (entry["back-file"] or "").removesuffix(" (deleted)")
        found.append(Loop(Path(entry["name"]), int(major), int(minor), Path(file)))
    return found


def loops() -> list[Loop]:
    """Return all loop devices of this machine that have a file behind them."""
    argv = ["losetup", "--list", "--json", "--output", "NAME,MAJ:MIN,BACK-FILE"]
    return parse_loops(run(argv, cure=LOOP_CURE))


def loops_of(folder: Path) -> list[Loop]:
    """Given a lab's folder, return the loop devices whose files lie in it."""
    return [loop for loop in loops() if loop.file.parent == folder]


def attach(lab: Lab) -> list[tuple[Disk, Loop]]:
    """Given a lab, make the files that are missing, and return each disk with its loop device.

    A disk that has its device keeps it, so this may be called again at any time.
    """
    for disk in lab.disks:
        machine.make_disk(lab, disk)
        file = lab.disk_file(disk.id)
        if not any(loop.file == file for loop in loops_of(lab.folder)):
            run(as_root(["losetup", "--find", "--show", str(file)]), cure=LOOP_CURE)
    by_file = {loop.file: loop for loop in loops_of(lab.folder)}
    return [(disk, by_file[lab.disk_file(disk.id)]) for disk in lab.disks]


def detach(folder: Path) -> None:
    """Given a lab's folder, free its loop devices. Raise LabError when something holds one.

    What counts is that none is left: one that was in use may go by itself between two looks.
    """
    end = time.monotonic() + DETACH_SECONDS
    while remaining := loops_of(folder):
        if time.monotonic() > end:
            nodes = ", ".join(str(loop.node) for loop in remaining)
            raise LabError(
                f"still in use after {DETACH_SECONDS:g} s",
                nodes,
                "unmount it (`findmnt --source DEVICE` tells where), then run this again",
            )
        swaps = swapping(Path("/proc/swaps").read_text())
        for loop in remaining:
            if loop.node.name in swaps:
                attempt(as_root(["swapoff", str(loop.node)]), DETACH_SECONDS)
            attempt(as_root(["losetup", "--detach", str(loop.node)]), DETACH_SECONDS)
        if loops_of(folder):
            time.sleep(0.1)


def swapping(swaps: str) -> set[str]:
    """Given /proc/swaps, return the names of its devices, without folders.

    Swap has no namespace: what a lab swaps to, this machine does, and outlives the container,
    whose /dev the kernel then no longer names.
    """
    rows = [line.split() for line in swaps.splitlines()[1:]]
    return {Path(row[0]).name for row in rows if row[1] == "partition"}


def table(disks: list[tuple[Disk, Loop]]) -> str:
    """Given disks with their devices, return the file from which the machine makes their nodes."""
    return "".join(
        f"{disk.id} {loop.node.name} {loop.major} {loop.minor}\n" for disk, loop in disks
    )
