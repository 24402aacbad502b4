"""The verdict on the disk of one filesystem: decided from what was read, never by acting.

Whatever is not understood is `unknown`, and only `blank` is ever formatted. A plan has not read
the whole disk, so that its `blank` is "blank so far": the proof comes with the formatting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from clup.disks import findings
from clup.disks.machine import BlockDevice, Machine, shown_size
from clup.machine.selector import Selector, wwn

Kind = Literal["mounted", "adopt", "blank", "foreign", "unknown"]
Proof = Literal["full", "sample"]

NAMED = 12
"""How many by-id names a message lists."""

READING = 150e6
"""Bytes a second at which an ordinary disk is read; for an estimate, nothing depends on it."""


@dataclass(frozen=True)
class Wanted:
    """What the settings say about one filesystem, as far as its disk is concerned.

    At most one of `by_id`, `serial` and `wwn` is set; without any, the filesystem must be there
    already. `at_least` is in bytes. With a `waiver`, which is a reason, a sample is proof enough.
    """

    name: str
    label: str
    mount: str
    by_id: str = ""
    serial: str = ""
    wwn: str = ""
    at_least: int = 0
    waiver: str = ""

    @property
    def selector(self) -> tuple[Selector, str] | None:
        """How the settings select the disk, and by which value; None if they do not."""
        chosen: tuple[tuple[Selector, str], ...] = (
            ("by_id", self.by_id),
            ("serial", self.serial),
            ("wwn", self.wwn),
        )
        return next((one for one in chosen if one[1]), None)


@dataclass(frozen=True)
class Verdict:
    """What a disk is to one filesystem, what it rests on, and the cure where it is refused.

    `device` is None when none was found. `relabel` says that a filesystem which is known to be
    ours by its UUID has lost its label. `proof` is how a disk that is blank so far is proven so.
    """

    kind: Kind
    found: str
    cure: str = ""
    what: str = ""
    device: BlockDevice | None = None
    relabel: bool = False
    proof: Proof = "full"

    @property
    def refused(self) -> bool:
        return self.kind in ("foreign", "unknown")

    def __str__(self) -> str:
        return f"{self.kind}: {self.what} {self.found}"


def verdict(machine: Machine, wanted: Wanted) -> Verdict:
    """Given the machine and what is wanted, return the verdict on the disk that is meant."""
    device = select(machine, wanted)
    if isinstance(device, Verdict):
        return device
    found = _refusal(machine, wanted, device) or _by_content(machine, wanted, device)
    return replace(found, what=findings.named(machine, device, wanted.by_id), device=device)


def select(machine: Machine, wanted: Wanted) -> BlockDevice | Verdict:
    """Return the one device that the settings select, or why there is none."""
    if wanted.by_id:
        device = machine.devices.get(machine.links.get(wanted.by_id, ""))
        if device is not None:
            return device
        # No guess at what was meant: another disk is not a spelling of this one.
        known = ", ".join(sorted(machine.links)[:NAMED]) or "nothing"
        cure = f"attach it, or correct by_id; there is {known}"
        return _missing(f"by_id {wanted.by_id!r}", "is not in /dev/disk/by-id", cure)
    how, found = _matches(machine, wanted)
    # Paths that one map holds are refused with its name.
    if len(found) == 1 or (found and found[0].holders and len({d.holders for d in found}) == 1):
        return found[0]
    if not found:
        return _missing(how, "is on none of the machine's disks", "attach the disk, see `lsblk`")
    names = ", ".join(findings.named(machine, device) for device in found)
    return _missing(how, f"is on more than one disk: {names}", "select the one by its by_id")


def _matches(machine: Machine, wanted: Wanted) -> tuple[str, list[BlockDevice]]:
    disks = [device for device in machine.devices.values() if not device.partition]
    if wanted.serial:
        found = [disk for disk in disks if wanted.serial in disk.serials]
        return f"serial {wanted.serial!r}", found
    if wanted.wwn:
        return f"wwn {wanted.wwn!r}", [disk for disk in disks if wwn(wanted.wwn) in disk.wwns]
    return f"label {wanted.label!r}", machine.labelled(wanted.label)


def _missing(how: str, found: str, cure: str) -> Verdict:
    return Verdict("unknown", found, cure, what=f"the disk of {how}")


def _refusal(machine: Machine, wanted: Wanted, device: BlockDevice) -> Verdict | None:
    """Return why the device cannot be ours, whatever is on it; None when nothing speaks against."""
    if device.size == 0:
        return _unknown("has no medium, or a size of 0", "attach it again")
    if device.node is None:
        return _unknown("has no node in /dev that can be read", f"see `ls -l /dev/{device.name}`")
    top = machine.mounted_at(wanted.mount)
    if top is not None and top.number != device.number:
        return _foreign(
            f"is not what is mounted at {wanted.mount}: that is {top.type} from {top.source}",
            f"find out what that is, then `umount {wanted.mount}`",
        )
    if top is not None and top.root != "/":
        return _foreign(
            f"is mounted at {wanted.mount} only by its folder {top.root}",
            f"find out who mounts it so, then `umount {wanted.mount}`",
        )
    if top is None:
        in_use = _in_use(machine, wanted, device)
        if in_use is not None:
            return in_use
    paths = machine.paths(device)
    if paths:
        names = ", ".join(findings.named(machine, path) for path in paths)
        return _unknown(
            f"is not the only disk with the world-wide name {device.wwn}: so has {names}",
            "if they are paths to one disk, have multipath map them, else detach one of them",
        )
    twins = [other for other in machine.labelled(wanted.label) if other.name != device.name]
    if twins:
        names = ", ".join(findings.named(machine, twin) for twin in twins)
        return _unknown(
            f"is not the only one with the label {wanted.label!r}: so has {names}",
            "detach one of them, or label it otherwise with `e2label`",
        )
    if not device.is_probed:
        said = (
            f"ended with {device.blkid.status}: {device.blkid.said}" if device.blkid else "did not"
        )
        return _unknown(f"cannot be judged: blkid {said}", f"try `blkid -p {machine.path(device)}`")
    return None


def _in_use(machine: Machine, wanted: Wanted, device: BlockDevice) -> Verdict | None:
    mounts = machine.mounts_of(device)
    if mounts:
        places = ", ".join(sorted({mount.target for mount in mounts}))
        cure = f"unmount it there, or set storage.filesystems.{wanted.name}.mount to that path"
        return _foreign(f"is mounted at {places}, not at {wanted.mount}", cure)
    if device.btrfs:
        cure = "it belongs to the machine: choose another disk, see `btrfs filesystem show`"
        return _foreign("is part of a btrfs filesystem that is in use", cure)
    if device.node in machine.swaps:
        return _foreign("is in use as swap", "it belongs to the machine: choose another disk")
    if device.holders or any(machine.devices[name].holders for name in device.partitions):
        return _foreign(*findings.held(machine, device))
    if device.read_only:
        return _foreign("is read-only", "make it writable where the disk is attached")
    return None


def _by_content(machine: Machine, wanted: Wanted, device: BlockDevice) -> Verdict:
    """Return the verdict on a device that is free, or mounted where it belongs."""
    if device.blkid is not None and device.blkid.status == 8:
        return _foreign(*findings.ambivalent(machine, device))
    if not device.tags:
        return _without_signature(machine, wanted, device)
    if device.tags.get("ID_FS_TYPE") != "ext4":
        return _foreign(*findings.content(machine, device, wanted.label))
    known = machine.records.get(wanted.name)
    if known not in (None, device.uuid):
        return _replaced(f"holds the ext4 filesystem {device.uuid}", wanted, known)
    if known is None and device.label != wanted.label:
        return _foreign(*findings.content(machine, device, wanted.label))
    mounted = machine.mounted_at(wanted.mount) is not None
    place = f"mounted at {wanted.mount}" if mounted else "not mounted"
    label = f"labelled {device.label!r}" if device.label else "without a label"
    relabel = device.label != wanted.label
    known_by = f", ours by its UUID {device.uuid}" if relabel else ""
    found = f"holds the ext4 filesystem {label}{known_by}, {place}"
    return Verdict("mounted" if mounted else "adopt", found, relabel=relabel)


def _without_signature(machine: Machine, wanted: Wanted, device: BlockDevice) -> Verdict:
    if device.wipefs is None or device.wipefs.status != 0:
        said = device.wipefs.said if device.wipefs else "was not asked"
        return _unknown(f"cannot be judged: wipefs says {said!r}", "look at `dmesg`")
    if device.signatures:
        return _foreign(*findings.erasable(machine, device))
    if device.partitions:
        return _foreign(f"has the partitions {', '.join(device.partitions)}", "see `lsblk`")
    if device.size < wanted.at_least:
        return _foreign(
            f"is too small: at least {shown_size(wanted.at_least)} are asked for",
            f"choose another disk, or set storage.filesystems.{wanted.name}.at_least_mib",
        )
    if not device.samples or any(sample.status not in (0, 1) for sample in device.samples):
        return _unknown("cannot be read everywhere", "look at `dmesg`: it may be failing")
    resumes = machine.markers.get(wanted.name) == device.size
    strange = next((sample for sample in device.samples if sample.status != 0), None)
    if strange is not None and not resumes:
        return _foreign(*findings.bytes_found(machine, device, strange))
    known = machine.records.get(wanted.name)
    if known is not None and not resumes:
        return _replaced("is blank", wanted, known)
    if resumes:
        found = "carries what a cut run began; it is finished if all else is zeros"
    else:
        read = shown_size(sum(sample.length for sample in device.samples))
        found = (
            "is blank so far: blkid, wipefs, partition table and holders find nothing, "
            f"{read} in {len(device.samples)} places are zeros"
        )
    # The waiver speaks of a disk on which nothing was begun.
    waiver = "" if resumes else wanted.waiver
    proof: Proof = "sample" if waiver else "full"
    return Verdict("blank", f"{found}; {_cost(device.size, waiver)}", proof=proof)


def _replaced(found: str, wanted: Wanted, known: str) -> Verdict:
    return _foreign(
        f"{found}, but {wanted.name} was {known} before",
        "attach the disk that was there, or, if it is this one from now on, remove "
        f"{record(wanted.name)} on the machine",
    )


def _cost(size: int, waiver: str) -> str:
    cost = f"{_duration(size / READING)} at {READING / 1e6:.0f} MB/s"
    if waiver:
        return (
            f"instead of all of it ({cost}) only a sample is read before it is formatted: {waiver}"
        )
    return f"all of it is read before it is formatted ({cost})"


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return "less than a minute"
    return f"about {minutes:.0f} min" if minutes < 100 else f"about {minutes / 60:.1f} h"


def record(name: str) -> str:
    """Return the path on the machine where the UUID of a filesystem is remembered."""
    return f"/var/lib/clup/storage/{name}.uuid"


def marker(name: str) -> str:
    """Return the path on the machine of the marker of a filesystem that is being made."""
    return f"/var/lib/clup/storage/{name}.json"


def _foreign(found: str, cure: str) -> Verdict:
    return Verdict("foreign", found, cure)


def _unknown(found: str, cure: str) -> Verdict:
    return Verdict("unknown", found, cure)
