"""What people do to mounts and to fstab by hand."""

from tests.lab.breakages import Breakage

AT_BOOT = "/etc/fstab mounts it at boot"
BELOW = "unshare --mount sh -c 'mount --bind /srv /run; chattr {} /run/{}'"

BREAKAGES = [
    Breakage(
        "a mount without nofail",
        "sed -i '/CLAW_DATA/s/nofail,//' /etc/fstab",
        changes=("Enter the mounts in fstab",),
        checks=(f"data: {AT_BOOT}",),
    ),
    Breakage(
        "a mount by the kernel's name",
        "sed -i 's|^LABEL=CLAW_CACHE|/dev/sdb|' /etc/fstab",
        changes=("Enter the mounts in fstab",),
        checks=(f"cache: {AT_BOOT}",),
    ),
    Breakage(
        "a line removed",
        "sed -i '/CLAW_CACHE/d' /etc/fstab",
        changes=("Enter the mounts in fstab",),
        checks=(f"cache: {AT_BOOT}",),
    ),
    Breakage(
        "a second line for a mount point",
        "echo '/dev/sdc1 /srv/data xfs defaults 0 0' >>/etc/fstab",
        changes=("Enter the mounts in fstab",),
        checks=(f"data: {AT_BOOT}",),
    ),
    Breakage(
        "another mode of fstab",
        "chmod 0666 /etc/fstab",
        changes=("Enter the mounts in fstab",),
        checks=("storage: /etc/fstab belongs to root and only root writes to it",),
    ),
    Breakage(
        "a label changed",
        "e2label $(findmnt -no SOURCE /srv/data) OLD_DATA",
        changes=("Make or adopt the filesystem CLAW_DATA",),
        checks=("data: the label of what is mounted",),
    ),
    Breakage(
        "mounted read-only",
        "mount -o remount,ro /srv/data",
        changes=("Mount /srv/data",),
        checks=("data: mounted to be written",),
    ),
    Breakage(
        "mounted without noatime",
        "mount -o remount,relatime /srv/cache",
        changes=("Mount /srv/cache",),
        checks=("cache: mounted to be written, with its options",),
    ),
    Breakage(
        "the root of a filesystem open to everybody",
        "chmod 1777 /srv/cache",
        changes=("Mount /srv/cache",),
        checks=("cache: the owner and mode of its root",),
    ),
    Breakage(
        "the folder below a mount no longer immutable",
        BELOW.format("-i", "data"),
        changes=("Make and seal the mount point /srv/data",),
        checks=("data: the folder below its mount is immutable",),
    ),
]
