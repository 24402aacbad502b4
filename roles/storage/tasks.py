"""Disks become filesystems, filesystems become mounts; nothing that is there is lost."""

from __future__ import annotations

import datetime

from clup.operations import filesystems, mounts
from clup.operations.packages import installed
from roles.storage.settings import Settings


def converge(settings: Settings) -> None:
    """Judge every disk before one is touched, then make, enter and mount each filesystem."""
    every = [
        (one.wanted(name, datetime.date.today()), one) for name, one in settings.filesystems.items()
    ]
    paths = tuple(one.mount for _wanted, one in every)
    installed(name="Install the filesystem tools", packages=["e2fsprogs"])
    filesystems.judged(name="Judge every disk", filesystems=[wanted for wanted, _one in every])
    for wanted, one in every:
        filesystems.ext4(
            name=f"Make or adopt the filesystem {one.label}",
            wanted=wanted,
            reserved_percent=one.reserved_percent,
        )
    mounts.in_fstab(name="Enter the mounts in fstab", entries=[one.entry for _wanted, one in every])
    # One after the other: a mount point may lie on the filesystem that was mounted before it.
    for wanted, one in every:
        mounts.mount_point(
            name=f"Make and seal the mount point {one.mount}", path=one.mount, among=paths
        )
        mounts.mounted(
            name=f"Mount {one.mount}",
            wanted=wanted,
            options=one.options,
            mode=one.mode,
            among=paths,
        )
