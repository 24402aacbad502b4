"""The filesystems that are mounted on the machine, as settings would say them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from clup import fstab
from clup.checks import read
from clup.disks.machine import BlockDevice, Machine, Mount
from clup.facts.disks import Disks
from clup.facts.mounts import MountPoint, MountPoints
from clup.facts.paths import Text
from clup.found import Found, Note
from clup.operations.mounts import FSTAB, flags
from roles.storage.settings import SYSTEM, Filesystem, Settings, by_name

if TYPE_CHECKING:
    from testinfra.host import Host

OTHERS = ("btrfs", "ext2", "ext3", "xfs")
"""Filesystems of disks that clup leaves alone."""


def found(host: Host, settings: Settings) -> Iterator[Found | Note]:
    """Yield what the settings of this role would say of the machine."""
    machine = read(host, Disks)
    places = tuple(mount.target for mount in of_disks(machine))
    roots = read(host, MountPoints, places) if places else {}
    yield from described(machine, read(host, Text, FSTAB) or "", roots, settings)


def of_disks(machine: Machine) -> list[Mount]:
    """Return the mounts of whole filesystems at places that are not the system's own."""
    return [
        mount
        for mount in machine.mounts
        if mount.type in ("ext4", *OTHERS)
        and mount.root == "/"
        and mount.target != "/"
        and mount.target.split("/")[1] not in SYSTEM
        and machine.mounted_at(mount.target) is mount
    ]


def described(
    machine: Machine, text: str, roots: Mapping[str, MountPoint], settings: Settings
) -> Iterator[Found | Note]:
    """Given the disks, the text of fstab and the mounts' roots, yield the filesystems."""
    known = {one.mount: name for name, one in settings.filesystems.items()}
    devices = {device.number: device for device in machine.devices.values()}
    options = {line.mount: line.options for line in _lines(text)}
    for mount in of_disks(machine):
        path, device = mount.target, devices.get(mount.number)
        name = known.get(path, path.rpartition("/")[2].lower())
        if mount.type != "ext4":
            yield Note(f"{path} is {mount.type}: it stays as it is; clup mounts ext4.")
        elif not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", name):
            yield Note(f"{path} stays as it is: its last part is no name for a filesystem.")
        elif device is None or not device.label:
            where = machine.path(device) if device else "DISK"
            cure = f"give it one, such as `e2label {where} CLAW_{name.upper()[:11]}`"
            yield Note(f"{path} has no label to be known by: {cure}, then type this again.")
        else:
            at_boot = options.get(path)
            wanted = flags(mount) if at_boot is None else mountable(at_boot)
            yield from _one(machine, name, mount, device, wanted, settings)
            yield from _root(name, path, roots.get(path, MountPoint()), settings)


def mountable(options: frozenset[str]) -> set[str]:
    """Given the options of a line of fstab, return those that settings would have."""
    ours = {option.partition("=")[0] for option in fstab.ALWAYS} | {"auto", "noauto"}
    return {option for option in options if option.partition("=")[0] not in ours}


def _one(
    machine: Machine, name: str, mount: Mount, device: BlockDevice, options: set[str],
    settings: Settings,
) -> Iterator[Found]:  # fmt: skip
    present, at = _present(settings, name), ("filesystems", name)
    yield Found(at, {})
    if device.label != present["label"]:
        yield Found((*at, "label"), device.label)
    if mount.target != present["mount"]:
        yield Found((*at, "mount"), mount.target)
    # A world-wide name is the disk's own; of the others any will do.
    ids = sorted(machine.ids.get(device.name, []), key=lambda one: not one.startswith("wwn-"))
    if ids and not any(present.get(key) for key in ("by_id", "serial", "wwn")):
        yield Found((*at, "by_id"), ids[0])
    if options != set(present["options"]):
        yield Found((*at, "options"), sorted(options))


def _root(name: str, path: str, place: MountPoint, settings: Settings) -> Iterator[Found | Note]:
    if place.root is None:
        return
    user, group, mode = place.root
    if mode != _present(settings, name)["mode"]:
        yield Found(("filesystems", name, "mode"), mode)
    if (user, group) != ("root", "root"):
        yield Note(f"{path} itself belongs to {user}:{group}; apply gives it to root.")


def _present(settings: Settings, name: str) -> Mapping[str, Any]:
    """Return what the settings say of a filesystem, or would if only its name were given."""
    declared = settings.filesystems.get(name)
    if declared is not None:
        return declared.model_dump()
    defaults = {key: field.default for key, field in Filesystem.model_fields.items()}
    return defaults | by_name(name)


def _lines(text: str) -> list[fstab.Line]:
    return [line for line in map(fstab.fields, text.splitlines()) if line is not None]
