"""One disk, held exclusively: nobody can mount, map or format it meanwhile."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clup.machine.process import RefusedError, run, say
from clup.machine.selector import Selector, is_selected

READ_ONLY = "is read-only; make it writable where the disk is attached"


@dataclass(frozen=True)
class Disk:
    """Which disk this is, as far as the kernel tells; equal for the same disk after a reboot."""

    id: str
    size: int
    serial: str
    wwn: str


@contextmanager
def held(path: str, number: str, wait: float) -> Iterator[int]:
    """Yield a descriptor to write to the disk, held exclusively.

    `number` is MAJOR:MINOR; `wait` is how many seconds an earlier run may take to end. Raise
    RefusedError when somebody else holds the disk.
    """
    try:
        lock = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise RefusedError(f"cannot be opened ({error.strerror}); is it attached?") from error
    try:
        _wait_for_lock(lock, path, wait)
        try:
            fd = os.open(path, os.O_RDWR | os.O_EXCL | os.O_CLOEXEC)
        except OSError as error:
            raise RefusedError(_why(error, number)) from error
        try:
            yield fd
        finally:
            os.close(fd)
    finally:
        os.close(lock)


def _wait_for_lock(fd: int, path: str, wait: float) -> None:
    """Lock the disk's node; udev then leaves it alone (systemd.io/BLOCK_DEVICE_LOCKING)."""
    began = time.monotonic()
    told = began - 5
    while True:
        try:
            return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            now = time.monotonic()
            if now - began >= wait:
                raise RefusedError(
                    f"another process has held it for {wait:.0f} s; see `fuser -v {path}`, "
                    "and run again when that has ended"
                ) from None
            if now - told >= 5:
                say(f"{path}: waiting for the process that holds it (an earlier run, or udev)")
                told = now
            time.sleep(0.1)


def _why(error: OSError, number: str) -> str:
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return READ_ONLY
    if error.errno != errno.EBUSY:
        return f"cannot be opened to write ({error.strerror}); look at `dmesg`"
    holders = sorted(p.name for p in Path(f"/sys/dev/block/{number}/holders").glob("*"))
    who = ", ".join(holders) or "a mount, a mapping or another program"
    return f"is held by {who}; let go of it first, then run again"


def identify(fd: int, selector: Selector, id: str, number: str, size: int) -> Disk:  # noqa: A002
    """Return what the held disk is.

    Raise RefusedError unless it is the one that was probed, and the one that the settings select:
    a disk that was attached meanwhile may have the number and the size of the other.
    """
    status = os.fstat(fd)
    if not stat.S_ISBLK(status.st_mode):
        raise RefusedError("is not a block device; select the disk by its id")
    found = f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}", os.lseek(fd, 0, os.SEEK_END)
    if found != (number, size):
        raise RefusedError(
            f"is now device {found[0]} of {found[1]} bytes, but was {number} of {size} bytes when "
            "it was probed; plan again"
        )
    if not is_selected(fd, selector, id):
        raise RefusedError(f"is not, or no longer, the disk of {selector} {id!r}; plan again")
    folder = Path(f"/sys/dev/block/{number}")
    if _first_line(folder / "ro") != "0":
        raise RefusedError(READ_ONLY)
    serial = _first_line(folder / "serial", folder / "device/serial")
    return Disk(id, size, serial, _first_line(folder / "wwid", folder / "device/wwid"))


def _first_line(*paths: Path) -> str:
    for path in paths:
        try:
            return path.read_text(errors="replace").strip()
        except OSError:
            continue
    return ""


def signatures(path: str) -> dict[str, str]:
    """Return blkid's tags for the disk, {} when it carries none.

    Raise RefusedError when a probe errs, or when blkid and wipefs do not agree.
    """
    found = run("blkid", "-p", "-o", "udev", path)
    # It also ends with 2, but with a message, when it cannot read the disk.
    if found.returncode not in (0, 2) or found.stderr:
        raise RefusedError(
            f"blkid cannot tell what is on it (status {found.returncode}: "
            f"{found.stderr.strip()}); see `wipefs {path}`"
        )
    tags = dict(line.split("=", 1) for line in found.stdout.splitlines() if "=" in line)
    # For a partition blkid also tells of its entry in the table, which is not on the partition.
    tags = {name: value for name, value in tags.items() if not name.startswith("ID_PART_ENTRY_")}
    listed = run("wipefs", "--no-act", "--json", path)
    try:
        erasable = json.loads(listed.stdout or '{"signatures": []}')["signatures"]
    except (ValueError, KeyError) as error:
        raise RefusedError(
            f"wipefs gives no readable answer ({error}); see `wipefs {path}`"
        ) from error
    if listed.returncode != 0:
        raise RefusedError(f"wipefs cannot read it ({listed.stderr.strip()}); look at `dmesg`")
    if erasable and not tags:
        kinds = ", ".join(f"{one['type']} at {one['offset']}" for one in erasable)
        raise RefusedError(f"wipefs finds {kinds}; see `wipefs {path}`")
    return tags
