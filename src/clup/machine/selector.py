"""How the settings name a disk, and whether a disk that is held is the one that they name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

Selector = Literal["by_id", "serial", "wwn"]

BY_ID = Path("/dev/disk/by-id")


def plain(encoded: str) -> str:
    r"""Given a value of udev's, return it without its \xHH escapes."""
    return re.sub(r"\\x([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), encoded)


def wwn(value: str) -> str:
    """Given a world-wide name as udev, sysfs or lsblk write it, return its bare digits."""
    return re.sub(r"^(0x|naa\.|eui\.|uuid\.|wwn-0x)", "", value.strip().lower())


def is_selected(fd: int, selector: Selector, value: str) -> bool:
    """Whether the open disk is the one that the settings select, as udev and the kernel see it."""
    device = os.fstat(fd).st_rdev
    if selector == "by_id":
        return any(device == _device(link) for link in _links(value))
    number = f"{os.major(device)}:{os.minor(device)}"
    if selector == "serial":
        keys, files = ("ID_SERIAL_SHORT", "ID_SCSI_SERIAL"), ("serial", "device/serial")
        return value in _told(number, keys, files)
    keys, files = ("ID_WWN", "ID_WWN_WITH_EXTENSION"), ("wwid", "device/wwid")
    return wwn(value) in map(wwn, _told(number, keys, files))


def _links(name: str) -> Iterator[Path]:
    if BY_ID.is_dir():
        yield from (link for link in BY_ID.iterdir() if plain(link.name) == name)


def _device(link: Path) -> int | None:
    try:
        return link.stat().st_rdev
    except OSError:
        return None


def _told(number: str, keys: tuple[str, ...], files: tuple[str, ...]) -> set[str]:
    """Return what udev's keys and the kernel's files say of a device, given as MAJOR:MINOR."""
    data = Path(f"/run/udev/data/b{number}")
    lines = _text(data).splitlines()
    found = {
        line.partition("=")[2] for key in keys for line in lines if line.startswith(f"E:{key}=")
    }
    # The first of the files that is there counts, as in the reading of all disks.
    texts = (_text(Path(f"/sys/dev/block/{number}/{name}")).strip() for name in files)
    first = next(filter(None, texts), "")
    return (found | {first}) - {""}


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
