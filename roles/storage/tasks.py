"""Disks become filesystems, filesystems become mounts; nothing that is there is lost."""

from __future__ import annotations

from clup.fstab import Entry
from clup.operations import filesystems, mounts
from clup.operations.packages import installed
from roles.storage.settings import Settings


def converge(settings: Settings) -> None:
    """Judge every disk before one is touched, then make, enter and mount each filesystem."""
    wanted = [one.wanted(name) for name, one in settings.filesystems.items()]
    paths = [one.mount for one in settings.filesystems.values()]
    installed(name="Filesystem tools", packages=["e2fsprogs"])
    filesystems.judged(name="Verdict on every disk", filesystems=wanted)
    for want, one in zip(wanted, settings.filesystems.values(), strict=True):
        filesystems.ext4(
            name=f"Filesystem {one.label}",
            wanted=want,
            reserved_percent=one.reserved_percent,
            proof=one.proof,
        )
    mounts.mount_points(name="Mount points", paths=paths)
    mounts.in_fstab(name="Mounts at boot", entries=entries(settings))
    for entry, one in zip(entries(settings), settings.filesystems.values(), strict=True):
        mounts.mounted(name=f"Mount {one.mount}", entry=entry, mode=one.mode, among=paths)


def entries(settings: Settings) -> list[Entry]:
    """Return the lines of fstab that the settings ask for."""
    return [Entry(one.label, one.mount, one.options) for one in settings.filesystems.values()]
