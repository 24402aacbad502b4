"""Read what is mounted, from which disk, what fstab says, and what lies below the mounts."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING

from clup import fstab
from clup.checks import APPLY, Result, expect, read, untestable
from clup.disks.machine import Machine
from clup.disks.verdict import verdict
from clup.facts.disks import Disks
from clup.facts.mounts import MountPoint, MountPoints
from clup.facts.paths import Paths, Text
from clup.operations.files import stricter
from clup.operations.mounts import FLAGS, FSTAB, flags
from roles.storage.settings import Filesystem, Settings

if TYPE_CHECKING:
    from testinfra.host import Host


def checks(host: Host, settings: Settings) -> Iterator[Result]:
    """Compare the machine's disks, mounts and fstab with the settings."""
    machine = read(host, Disks)
    places = read(host, MountPoints, tuple(one.mount for one in settings.filesystems.values()))
    text, file = read(host, Text, FSTAB) or "", read(host, Paths, (FSTAB,))[FSTAB]
    yield expect(
        f"storage: {FSTAB} belongs to root and only root writes to it",
        ("root", "root", stricter(file.mode, "0644") if file else "0644"),
        file and (file.user, file.group, file.mode), APPLY,
    )  # fmt: skip
    for name, one in settings.filesystems.items():
        what = f"storage: {name}"
        found = verdict(machine, one.wanted(name, datetime.date.today()))
        yield expect(
            f"{what}: its disk holds the filesystem {one.label}, mounted at {one.mount}",
            "mounted", str(found) if found.kind != "mounted" else "mounted", found.cure or APPLY,
        )  # fmt: skip
        yield from _running(machine, what, one)
        yield from _place(places[one.mount], what, one)
        yield from _at_boot(machine, text, what, one)


def _running(machine: Machine, what: str, one: Filesystem) -> Iterator[Result]:
    mount = machine.mounted_at(one.mount)
    labels = sorted(
        {d.label for d in machine.devices.values() if mount and d.number == mount.number}
    )
    yield expect(f"{what}: the label of what is mounted", [one.label], labels, APPLY)
    yield expect(f"{what}: its type", "ext4", mount and mount.type, APPLY)
    yield expect(
        f"{what}: mounted to be written, with its options",
        sorted(FLAGS.keys() & set(one.options)),
        mount and sorted(flags(mount)),
        "after an error of the disk see `dmesg`; else `clup apply`",
    )


def _place(place: MountPoint, what: str, one: Filesystem) -> Iterator[Result]:
    yield expect(
        f"{what}: the owner and mode of its root", ("root", "root", one.mode), place.root, APPLY
    )
    if place.kind == "hidden":
        yield untestable(f"{what}: the folder below its mount", "it cannot be seen")
        return
    yield expect(f"{what}: a folder lies below its mount", "folder", place.kind, APPLY)
    yield expect(
        f"{what}: nothing lies hidden below its mount", (), place.entries,
        f"look at it with `mount --bind {one.mount.rpartition('/')[0] or '/'} /mnt`, move it away",
    )  # fmt: skip
    if place.immutable is None:
        yield untestable(f"{what}: the folder is immutable", "its filesystem has no such flag")
    else:
        yield expect(
            f"{what}: the folder below its mount is immutable", True, place.immutable, APPLY
        )


def _at_boot(machine: Machine, text: str, what: str, one: Filesystem) -> Iterator[Result]:
    entry = one.entry
    uuids = [device.uuid for device in machine.labelled(one.label)]
    lines = [line for line in map(fstab.fields, text.splitlines()) if line is not None]
    ours = [line for line in lines if line.mount == entry.mount]
    right = [line for line in ours if fstab.is_equivalent(line, entry, next(iter(uuids), None))]
    yield expect(f"{what}: {FSTAB} mounts it at boot, if its disk is there", (1, 1),
                 (len(ours), len(right)), APPLY)  # fmt: skip
