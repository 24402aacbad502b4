"""What was found on a disk that is not blank: in words, with the cure."""

from __future__ import annotations

from clup.disks.machine import BlockDevice, Machine, Sample, shown_size
from clup.machine.blank import describe, erase_it

_USES = {
    "crypto_LUKS": ("a LUKS container", "open it with `cryptsetup` to see what is in it"),
    "LVM2_member": ("an LVM physical volume", "see `pvs` and `lvs` for what is on it"),
    "linux_raid_member": ("a member of a Linux RAID", "see `mdadm --examine {path}`"),
    "swap": ("swap space", "if it is no longer used, erase it with `wipefs -a {path}`"),
    "zfs_member": ("a member of a ZFS pool", "see `zpool import`"),
    "bcache": ("a bcache device", "see `bcache-super-show {path}`"),
    "VMFS_volume_member": ("a VMFS volume", "it belongs to a hypervisor: detach it"),
    "ddf_raid_member": ("a member of a DDF RAID", "see `mdadm --examine {path}`"),
    "isw_raid_member": ("a member of an Intel RAID", "see `mdadm --examine {path}`"),
    "jbd": ("the external journal of another ext filesystem", "see `dumpe2fs {path}`"),
}


def named(machine: Machine, device: BlockDevice, asked: str = "") -> str:
    """Return a device's names: by-id, as it was `asked` for if it was, kernel name, size."""
    known = [asked] if asked else machine.ids.get(device.name, [])
    node = device.node or f"/dev/{device.name}"
    size = shown_size(device.size)
    return f"{known[0]} ({node}, {size})" if known else f"{node} ({size})"


def content(machine: Machine, device: BlockDevice, label: str) -> tuple[str, str]:
    """Given a device on which blkid found something, return what it is and what to do.

    `label` is the one that the settings ask for.
    """
    tags, path = device.tags, machine.path(device)
    kind = tags.get("ID_FS_TYPE", "")
    if not kind:
        return _table(device, tags.get("ID_PART_TABLE_TYPE", "unknown"), path)
    if kind in _USES:
        what, cure = _USES[kind]
        name = f" named {device.label!r}" if device.label else ""
        version = f" of version {tags['ID_FS_VERSION']}" if kind == "crypto_LUKS" else ""
        return f"holds {what}{version}{name}", cure.format(path=path)
    if device.label == label:
        return (
            f"holds a filesystem of type {kind} labelled {label!r}; a label alone is no proof, "
            "only ext4 is adopted",
            erase_it(path),
        )
    if kind == "ext4":
        there = f"labelled {device.label!r}" if device.label else "without a label"
        return (
            f"holds an ext4 filesystem {there}, not {label!r}",
            f"if it is the one that is meant, label it yourself with `e2label {path} {label}`",
        )
    there = f" labelled {device.label!r}" if device.label else ""
    return f"holds a filesystem of type {kind}{there}", erase_it(path)


def ambivalent(machine: Machine, device: BlockDevice) -> tuple[str, str]:
    """Return the words for a device on which blkid found several things that exclude each other."""
    kinds = ", ".join(f"{one.type} at {one.offset}" for one in device.signatures)
    return f"holds signatures that exclude each other ({kinds or 'unnamed'})", (
        f"find out with `wipefs {machine.path(device)}` which of them is a leftover"
    )


def erasable(machine: Machine, device: BlockDevice) -> tuple[str, str]:
    """Return the words for what wipefs finds where blkid finds nothing."""
    path = machine.path(device)
    if {one.type for one in device.signatures} == {"gpt"}:
        return "holds only the backup, at its end, of a GUID partition table", (
            f"`gdisk {path}` can restore the table; if it is not needed, `wipefs -a {path}`"
        )
    kinds = ", ".join(f"{one.type} at {one.offset}" for one in device.signatures)
    return f"holds {kinds}, found by wipefs though not by blkid", f"see `wipefs {path}`"


def bytes_found(machine: Machine, device: BlockDevice, sample: Sample) -> tuple[str, str]:
    """Return the words for bytes that are not zero where no signature was found."""
    place = f"between bytes {sample.offset} and {sample.offset + sample.length} is one not zero"
    there = place if sample.at is None else describe(sample.sector, sample.at)
    return f"carries no signature but is not blank: {there}", erase_it(machine.path(device))


def held(machine: Machine, device: BlockDevice) -> tuple[str, str]:
    """Return the words for a device, or a partition of it, that another device is made of."""
    parts = [device, *(machine.devices[name] for name in device.partitions)]
    names = [name for part in parts for name in part.holders]
    holders = [machine.devices.get(name, BlockDevice(name, "", 0)) for name in names]
    shown = ", ".join(f"{h.name} ({h.mapping})" if h.mapping else h.name for h in holders)
    if any(holder.mapping_uuid.startswith("mpath-") for holder in holders):
        wwids = [h.mapping_uuid.removeprefix("mpath-") for h in holders]
        return f"is held by multipath as {shown}", (
            f"select it as by_id 'dm-uuid-{holders[0].mapping_uuid}'; or, if it has but one path, "
            f'add `blacklist {{ wwid "{wwids[0]}" }}` to /etc/multipath.conf, then run '
            f"`multipath -f {holders[0].mapping}`"
        )
    if any(holder.mapping_uuid.startswith("LVM-") for holder in holders):
        return f"is held by LVM as {shown}", "it is in use: choose another disk, see `lvs`"
    if any(holder.mapping_uuid.startswith("CRYPT-") for holder in holders):
        luks = any(holder.mapping_uuid.startswith("CRYPT-LUKS") for holder in holders)
        return f"is held by {'an open LUKS container' if luks else 'cryptsetup'} as {shown}", (
            f"it is in use: choose another disk, see `cryptsetup status {holders[0].mapping}`"
        )
    if any(holder.name.startswith("md") for holder in holders):
        return f"is held by a Linux RAID as {shown}", "see `cat /proc/mdstat`; choose another disk"
    if any(holder.name.startswith("bcache") for holder in holders):
        return f"is held by bcache as {shown}", "it is in use: choose another disk"
    return f"is held by {shown}", f"see `lsblk {machine.path(device)}`; let go of it first"


def _table(device: BlockDevice, kind: str, path: str) -> tuple[str, str]:
    name = {"dos": "MBR", "gpt": "GPT"}.get(kind, kind)
    count = device.table_entries
    parts = f"with {count} partition{'s' if count != 1 else ''}" if count else "without partitions"
    return f"holds a partition table ({name}) {parts}", (
        f"see `partx --show {path}`; if nothing on it is needed, erase it with `wipefs -a {path}`"
    )
