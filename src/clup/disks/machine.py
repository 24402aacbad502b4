"""The picture of a machine's block devices, as one reading of it gave."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from clup.machine.selector import BY_ID, plain


@dataclass(frozen=True)
class Answer:
    """What a tool said: its exit status, and what it found, such as blkid's tags."""

    status: int
    found: Mapping[str, str] = field(default_factory=dict)
    said: str = ""


@dataclass(frozen=True)
class Signature:
    """One thing that wipefs could erase: its type and its offset in bytes, as it writes them."""

    type: str
    offset: str


@dataclass(frozen=True)
class Sample:
    """A stretch of a disk that was compared with zeros.

    `status` is 0 when all were zeros, 1 when not, else it could not be read. `at` is the disk's
    offset of the first byte that is not zero, `sector` the sector with it.
    """

    offset: int
    length: int
    status: int
    at: int | None = None
    sector: bytes = b""


@dataclass(frozen=True)
class BlockDevice:
    """A block device of the machine. `number` is MAJOR:MINOR, `size` in bytes.

    `node` is its path, or None when /dev has no node of that number to read. `btrfs` is the UUID
    of the mounted btrfs that it is a part of. `blkid`, `wipefs` and the samples are None or empty
    where they were not asked for.
    """

    name: str
    number: str
    size: int
    node: str | None = None
    read_only: bool = False
    partition: bool = False
    partitions: tuple[str, ...] = ()
    holders: tuple[str, ...] = ()
    btrfs: str = ""
    mapping: str = ""
    mapping_uuid: str = ""
    serials: frozenset[str] = frozenset()
    wwns: frozenset[str] = frozenset()
    blkid: Answer | None = None
    wipefs: Answer | None = None
    signatures: tuple[Signature, ...] = ()
    table_entries: int = 0
    samples: tuple[Sample, ...] = ()

    @property
    def tags(self) -> Mapping[str, str]:
        """What blkid found on it; not what the table of its disk says of a partition."""
        found = self.blkid.found if self.blkid else {}
        return {k: v for k, v in found.items() if not k.startswith("ID_PART_ENTRY_")}

    @property
    def is_probed(self) -> bool:
        """Whether blkid gave an answer. It ends with 2 when it finds nothing, silently, and when
        it cannot read the device, with a message."""
        if self.blkid is None:
            return False
        return self.blkid.status in (0, 8) or (self.blkid.status, self.blkid.said) == (2, "")

    @property
    def wwn(self) -> str:
        """Its world-wide name in full: shorter ones may be those of its maker's whole series."""
        return max(self.wwns, key=len, default="")

    @property
    def label(self) -> str:
        return plain(self.tags.get("ID_FS_LABEL_ENC", ""))

    @property
    def uuid(self) -> str:
        return self.tags.get("ID_FS_UUID", "")


@dataclass(frozen=True)
class Mount:
    """A line of /proc/self/mountinfo (proc_pid_mountinfo(5))."""

    number: str
    root: str
    target: str
    options: frozenset[str]
    type: str
    source: str


@dataclass(frozen=True)
class Machine:
    """All block devices of a machine, and what it uses them for.

    `links` maps by-id names to device names; `records` and `markers` map names of filesystems to
    the UUID that clup remembers, and to the size of the disk on which a run was cut.
    """

    devices: Mapping[str, BlockDevice]
    links: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    swaps: frozenset[str] = frozenset()
    records: Mapping[str, str] = field(default_factory=dict)
    markers: Mapping[str, int] = field(default_factory=dict)

    def mounted_at(self, target: str) -> Mount | None:
        """Return what one sees at a mount point: the last mount there."""
        return next((m for m in reversed(self.mounts) if m.target == target), None)

    def mounts_of(self, device: BlockDevice) -> list[Mount]:
        """Return the mounts of a device and of its partitions."""
        parts = [device, *(self.devices[name] for name in device.partitions)]
        numbers = {part.number for part in parts}
        # A btrfs has a number of its own, and names one of its devices, by any of its names.
        pools = {part.btrfs for part in parts} - {""}
        members = [one for one in self.devices.values() if one.btrfs in pools]
        sources = {path for one in members for path in self._paths(one)}
        return [one for one in self.mounts if one.number in numbers or one.source in sources]

    def labelled(self, label: str) -> list[BlockDevice]:
        """Return the devices that carry a filesystem's label, whatever the filesystem is.

        What is seen through another one that has it, as on the paths of a multipath map, is not
        counted again.
        """
        found = {one.name: one for one in self.devices.values() if label and one.label == label}
        return [one for one in found.values() if not found.keys() & set(one.holders)]

    def paths(self, device: BlockDevice) -> list[BlockDevice]:
        """Return the other disks with a disk's world-wide name: more ways to the same one."""
        return [
            one
            for one in self.devices.values()
            if one.node and not one.partition and one.name != device.name
            if not device.partition and one.wwn and one.wwn == device.wwn
        ]

    def path(self, device: BlockDevice) -> str:
        """Return a path of a device for people to type: one that holds after a reboot, if any.

        A name that udev has to escape is none, as shells and people take it otherwise.
        """
        for name in self.ids.get(device.name, []):
            if re.fullmatch(r"[A-Za-z0-9#+.:=@_-]+", name):
                return str(PurePosixPath(BY_ID, name))
        return device.node or f"/dev/{device.name}"

    def _paths(self, device: BlockDevice) -> Iterator[str]:
        yield device.node or f"/dev/{device.name}"
        yield f"/dev/mapper/{device.mapping}"
        yield from (str(PurePosixPath(BY_ID, name)) for name in self.ids.get(device.name, []))

    @cached_property
    def ids(self) -> dict[str, list[str]]:
        """The by-id names of each device, by its name; those that its content has made last."""
        found: dict[str, list[str]] = {}
        for link, name in sorted(self.links.items(), key=lambda one: (_is_content(one[0]), one)):
            found.setdefault(name, []).append(link)
        return found


def _is_content(link: str) -> bool:
    return link.startswith(("lvm-pv-uuid-", "dm-", "md-"))


def shown_size(size: int) -> str:
    """Given bytes, return them as people read them: 64.0 MiB, 1.0 TiB."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
    power = min(max(size.bit_length() - 1, 0) // 10, len(units) - 1)
    return f"{size / 1024**power:.1f} {units[power]}"
