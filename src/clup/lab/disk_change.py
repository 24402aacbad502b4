"""Disks that come and go while a lab lives."""

from collections.abc import Callable
from dataclasses import replace

from clup.lab import machine
from clup.lab.commands import succeeds
from clup.lab.driver import driver_of
from clup.lab.errors import LabError
from clup.lab.keys import ssh_argv
from clup.lab.lock import locked
from clup.lab.lookup import find
from clup.lab.machine import Disk, Lab
from clup.lab.say import Say

SEEN_SECONDS = 60

Disks = tuple[Disk, ...]


def disk_add(
    name: str, disk_id: str, size: int | None = None, *, read_only: bool = False, say: Say = print
) -> Lab:
    """Given a lab's name and a disk's id, attach that disk, and return the lab as it is then.

    A disk that was detached keeps its content; any other is made blank, with `size` bytes. It is
    there when this returns, and after each boot. Raise LabError.
    """
    find(name)
    with locked(say, name):
        lab = find(name)
        changed = replace(lab, disks=with_disk(lab.disks, disk_id, size, read_only))
        machine.checked_disks(changed.disks)
        disk = disk_of(changed.disks, disk_id)
        driver = driver_of(lab.kind)
        driver.check(changed)
        if disk_id not in {known.id for known in lab.disks}:
            # What an add that failed has left is in the way of a blank disk.
            lab.disk_file(disk_id).unlink(missing_ok=True)
        return remembered(lab, changed, lambda: appear(lab, disk))


def disk_detach(name: str, disk_id: str, *, say: Say = print) -> Lab:
    """Given a lab's name and a disk's id, pull that disk out, and return the lab as it is then.

    Nobody asks the machine whether it still uses the disk. Its content is kept. Raise LabError.
    """
    find(name)
    with locked(say, name):
        lab = find(name)
        changed = replace(lab, disks=without_disk(lab.disks, disk_id))
        driver = driver_of(lab.kind)
        driver.check(changed)
        return remembered(lab, changed, lambda: driver.detach(lab, disk_of(lab.disks, disk_id)))


def remembered(lab: Lab, changed: Lab, act: Callable[[], None]) -> Lab:
    """Given a lab as it is and as it shall be, write that down, and act on it if it runs.

    Written down before: were this cut, the next boot would do the rest.
    """
    machine.save(changed)
    if lab.folder in driver_of(lab.kind).running():
        try:
            act()
        except LabError:
            machine.save(lab)
            raise
    return changed


def appear(lab: Lab, disk: Disk) -> None:
    """Given a lab that runs and a disk, attach it and wait for its link. Raise LabError."""
    driver_of(lab.kind).attach(lab, disk)
    path = f"/dev/disk/by-id/{disk.id}"
    argv = ssh_argv(lab, ["udevadm", "wait", f"--timeout={SEEN_SECONDS}", path], batch=True)
    if not succeeds(argv, SEEN_SECONDS + 10):
        raise LabError(
            f"{path} has not appeared in {SEEN_SECONDS} s",
            f"lab {lab.name}",
            f"`clup lab reboot --name {lab.name}` boots it without the disk; then add it again",
        )


def with_disk(disks: Disks, disk_id: str, size: int | None, read_only: bool) -> Disks:
    """Given a lab's disks and what to attach, return them with it. Raise LabError if it cannot be.

    A `size` may be left out for a disk that was detached, and only then.
    """
    where = f"the lab's disk {disk_id}"
    known = {disk.id: disk for disk in disks}.get(disk_id)
    if known is None and size is None:
        raise LabError("a new disk needs a size", where, f"say {disk_id}=1G, for example")
    if known is None:
        return (*disks, Disk(disk_id, size or 0, read_only))
    if known.attached:
        raise LabError("it is attached", where, f"`clup lab disk detach {disk_id}` pulls it out")
    if size not in (None, known.size):
        cure = "say its id alone, or use another one for another disk"
        raise LabError(f"it was detached with {known.size} bytes, not {size}", where, cure)
    back = replace(known, attached=True, read_only=read_only)
    return tuple(back if disk is known else disk for disk in disks)


def without_disk(disks: Disks, disk_id: str) -> Disks:
    """Given a lab's disks and the id of one, return them without it. Raise LabError."""
    gone = disk_of(disks, disk_id)
    if not gone.attached:
        raise LabError(
            "it is detached",
            f"the lab's disk {disk_id}",
            f"attach it with `clup lab disk add {disk_id}`",
        )
    return tuple(replace(disk, attached=disk is not gone and disk.attached) for disk in disks)


def disk_of(disks: Disks, disk_id: str) -> Disk:
    """Given a lab's disks and an id, return that one. Raise LabError if there is none."""
    for disk in disks:
        if disk.id == disk_id:
            return disk
    there = ", ".join(disk.id for disk in disks) or "none"
    raise LabError(f"there is no disk {disk_id!r}", "the lab's disks", f"there are: {there}")
