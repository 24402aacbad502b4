"""Disks for the tests: sparse files behind loop devices of the machine that runs the tests."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clup.machine.selector import BY_ID
from clup.operations.programs import BOOT, packed

MIB = 1 << 20


@dataclass(frozen=True)
class Loop:
    """A loop device and the file behind it; `link` leads to it as udev's links lead to disks."""

    path: str
    file: Path

    @property
    def link(self) -> Path:
        return BY_ID / f"clup-test-{Path(self.path).name}"

    @property
    def number(self) -> str:
        return Path(f"/sys/class/block/{Path(self.path).name}/dev").read_text().strip()

    @property
    def size(self) -> int:
        return self.file.stat().st_size

    def sha256(self) -> str:
        """Return the hash of the whole device, read afresh."""
        subprocess.run(["blockdev", "--flushbufs", self.path], check=True)
        with open(self.path, "rb") as disk:  # noqa: PTH123  a device, not a path in the project
            return hashlib.file_digest(disk, "sha256").hexdigest()


@contextmanager
def loop(
    folder: Path, mib: int = 64, name: str = "disk", read_only: bool = False
) -> Iterator[Loop]:
    """Yield a loop device over a blank file, or over the file of that name if it is there."""
    file = folder / f"{name}.img"
    if not file.exists():
        with file.open("wb") as new:
            new.truncate(mib * MIB)
    options = ["--read-only"] if read_only else []
    made = subprocess.run(
        ["losetup", "--find", "--show", *options, str(file)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    path = made.stdout.strip()
    disk = Loop(path, file)
    disk.link.parent.mkdir(parents=True, exist_ok=True)
    disk.link.unlink(missing_ok=True)
    disk.link.symlink_to(path)
    try:
        yield disk
    finally:
        disk.link.unlink(missing_ok=True)
        subprocess.run(["losetup", "--detach", path], check=True)


def format_words(disk: Loop, folder: Path, **more: object) -> list[str]:
    """Return format_disk's arguments for a disk; its marker and record lie in `folder`."""
    options: dict[str, object] = {
        "path": disk.path,
        "shown": disk.link,
        "number": disk.number,
        "size": disk.size,
        "selector": "by_id",
        "id": disk.link.name,
        "label": "CLAW_DATA",
        "marker": folder / "data.json",
        "record": folder / "data.uuid",
        "wait": 20,
        **more,
    }
    return [part for name, value in options.items() for part in (f"--{name}", str(value))]


def format_disk(disk: Loop, folder: Path, **more: object) -> subprocess.CompletedProcess[str]:
    """Run format_disk in the very way in which it is run on a machine."""
    return subprocess.run(
        [sys.executable, "-I", "-c", BOOT, "clup.machine.format_disk",
         *format_words(disk, folder, **more)],
        input=packed(), capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def blkid(disk: Loop) -> dict[str, str]:
    """Return the tags that blkid reads from the device, {} for none."""
    found = subprocess.run(
        ["blkid", "-p", "-o", "export", disk.path], capture_output=True, text=True, check=False
    )
    return dict(line.split("=", 1) for line in found.stdout.splitlines())


def marker(folder: Path) -> dict[str, object] | None:
    """Return what the marker of a cut run says, None if there is none."""
    path = folder / "data.json"
    return dict(json.loads(path.read_text())) if path.exists() else None
