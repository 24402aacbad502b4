"""Kinds of disk that only a machine with a kernel of its own can have, made with their own tools.

Each is judged twice: in use, as the machine holds it, and at rest, as it is found after its tools
were told to let go of it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clup.lab import Disk
from tests.faults.disks.loops import MIB

BY_ID = "/dev/disk/by-id"
PACKAGES = (
    "python3", "lvm2", "thin-provisioning-tools", "mdadm", "cryptsetup-bin", "btrfs-progs",
    "xfsprogs", "bcache-tools", "multipath-tools", "fdisk", "git", "iptables", "nftables",
)  # fmt: skip
"""What the machines have from the start, as a package takes minutes where they are emulated."""


@dataclass(frozen=True)
class VmKind:
    """A kind of disk on a virtual machine.

    `make` and `release` are shell for the machine, with the disk's path as $1. `in_use` and
    `at_rest` are what the operator is told of it then, and by which verdict; None where it is not
    judged. `rests_as` are settings of its filesystem at rest, instead of by_id.
    """

    id: str
    title: str
    make: str
    in_use: str | None
    release: str = ""
    at_rest: str | None = None
    mib: int = 64
    verdict: str = "foreign"
    read_only: bool = False
    rests_as: Mapping[str, Any] = field(default_factory=dict)

    @property
    def disk(self) -> Disk:
        return Disk(f"virtio-{self.id}", self.mib * MIB, read_only=self.read_only)

    @property
    def name(self) -> str:
        return self.id.lower()

    @property
    def settings(self) -> dict[str, Any]:
        return {"by_id": self.disk.id}


def raid(id_: str, metadata: str, minor: int, named: str) -> VmKind:
    return VmKind(
        id_,
        f"a member of a RAID with metadata {metadata}",
        f"mdadm --create --quiet --run --force --metadata={metadata} --homehost=nas --level=1 "
        f'--raid-devices=1 /dev/md{minor} "$1"',
        f"is held by a Linux RAID as md{minor}; see `cat /proc/mdstat`",
        f"mdadm --stop --quiet /dev/md{minor}",
        f"holds a member of a Linux RAID{named}; see `mdadm --examine {BY_ID}/virtio-{id_}`",
    )


def written(*pieces: tuple[int, bytes]) -> str:
    """Return shell that writes the bytes at their offsets (multiples of 512) of a disk."""
    return "\n".join(
        f"printf '{''.join(f'{chr(92)}{byte:03o}' for byte in data)}' |"
        f' dd of="$1" bs=512 seek={offset // 512} conv=notrunc,fsync status=none'
        for offset, data in pieces
    )


def bcachefs() -> bytes:
    """Return a superblock of bcachefs without a checksum (libbcachefs/bcachefs_format.h)."""
    magic = bytes.fromhex("c68573f666ce90a9d96a60cf803df7ef")
    ids = b"0123456789abcdef" * 2
    head = struct.pack("<16sHH4x16s32s32s", b"", 1024, 1024, magic, ids, b"MEDIA")
    block = bytearray((head + struct.pack("<QQHBBI", 8, 1, 1, 0, 1, 0)).ljust(752, b"\0"))
    block[257] = 11  # layout.sb_max_size_bits
    return bytes(block)


def zfs() -> bytes:
    """Return the pairs of a ZFS label (module/nvpair/nvpair.c, in XDR), which lie at 16 KiB."""
    values: list[tuple[str, bytes | int]] = [
        ("name", b"tank"),
        ("state", 0),
        ("txg", 4),
        ("pool_guid", 77),
        ("guid", 78),
    ]
    pairs = b"".join(_pair(name, value) for name, value in values)
    return struct.pack(">BBxxII", 1, 1, 0, 1) + pairs + bytes(8)


def _pair(name: str, value: bytes | int) -> bytes:
    text = struct.pack(">I", len(name)) + name.encode().ljust(-(-len(name) // 4) * 4, b"\0")
    if isinstance(value, int):
        body = text + struct.pack(">IIQ", 8, 1, value)
    else:
        body = text + struct.pack(">III", 9, 1, len(value)) + value
    return struct.pack(">II", len(body) + 8, 32) + body


KINDS = [
    VmKind(
        "PV", "an LVM physical volume of no group",
        'pvcreate -q "$1"', "holds an LVM physical volume; see `pvs`",
    ),
    VmKind(
        "VG", "an LVM member with a volume in use, then with its group put away",
        'vgcreate -q vault "$1"; lvcreate -q -y -L 32M -n photos vault',
        "is held by LVM as dm-", "vgchange -q -an vault", "holds an LVM physical volume; see `pvs`",
    ),
    VmKind(
        "THIN", "a thin pool of LVM",
        'vgcreate -q pool "$1"; lvcreate -q -y --type thin-pool -L 32M -n thin pool\n'
        "lvcreate -q -y -V 100M --thinpool thin -n guest pool",
        "(pool-thin_tdata)", "vgchange -q -an pool", "holds an LVM physical volume; see `pvs`",
    ),
    VmKind(
        "LUKS1", "a LUKS1 container, open, then closed",
        'printf pw | cryptsetup -q luksFormat --type luks1 --pbkdf-force-iterations 1000 "$1" -\n'
        'printf pw | cryptsetup open "$1" old-safe --key-file -',
        "(old-safe); it is in use: choose another disk, see `cryptsetup status old-safe`",
        "cryptsetup close old-safe", "holds a LUKS container of version 1",
    ),
    VmKind(
        "LUKS2", "a LUKS2 container, open, then closed",
        'printf pw | cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 '
        '--pbkdf-force-iterations 1000 "$1" -\n'
        'printf pw | cryptsetup open "$1" safe --key-file -',
        "is held by an open LUKS container as dm-", "cryptsetup close safe",
        "holds a LUKS container of version 2",
    ),
    VmKind(
        "PLAIN", "dm-crypt without a header, open, then closed with data on it",
        'printf pw | cryptsetup open --type plain --cipher aes-xts-plain64 --key-size 256 '
        '--hash sha256 "$1" scratch --key-file -\n'
        "mke2fs -q -t ext4 /dev/mapper/scratch; sync",
        "is held by cryptsetup as dm-", "cryptsetup close scratch",
        "carries no signature but is not blank: byte 0 is not zero",
    ),
    raid("MD090", "0.90", 10, ""),
    raid("MD10", "1.0", 11, " named 'nas:11'"),
    raid("MD11", "1.1", 12, " named 'nas:12'"),
    raid("MD12", "1.2", 13, " named 'nas:13'"),
    VmKind(
        "BCACHE", "the backing disk of a bcache, running, then stopped",
        'make-bcache -B "$1" >/dev/null; udevadm settle\n'
        'test -e /sys/block/bcache0 || echo "$(realpath "$1")" >/sys/fs/bcache/register',
        "is held by bcache as bcache0", "echo 1 >/sys/block/bcache0/bcache/stop",
        "holds a bcache device",
    ),
    VmKind(
        "BCACHEFS", "a bcachefs", written((4096, bcachefs())),
        "holds a filesystem of type bcachefs labelled 'MEDIA'",
    ),
    VmKind(
        "BTRFS1", "the first disk of a btrfs over two, mounted, then not", "",
        "is mounted at /mnt/pool, not at /srv/btrfs1", "umount /mnt/pool",
        "holds a filesystem of type btrfs labelled 'TWO_DISKS'", mib=256,
    ),
    VmKind(
        "BTRFS2", "the second disk of a btrfs over two, mounted, then not",
        f'mkfs.btrfs -q -L TWO_DISKS {BY_ID}/virtio-BTRFS1 "$1"\n'
        'mkdir /mnt/pool; mount "$1" /mnt/pool; sync',
        "is mounted at /mnt/pool, not at /srv/btrfs2", "",
        "holds a filesystem of type btrfs labelled 'TWO_DISKS'", mib=256,
    ),
    VmKind(
        "XFS", "an xfs with our label, mounted elsewhere, then not",
        'mkfs.xfs -q -L CLAW_XFS "$1"; mkdir /mnt/xfs; mount "$1" /mnt/xfs; sync',
        "is mounted at /mnt/xfs, not at /srv/xfs", "umount /mnt/xfs",
        "a filesystem of type xfs labelled 'CLAW_XFS'; a label alone is no proof", mib=320,
    ),
    VmKind(
        "TWIN", "our label on two disks at once", 'mke2fs -q -t ext4 -L CLAW_TWIN "$1"',
        "is not the only one with the label 'CLAW_TWIN': so has virtio-TWIN-B",
        "", "the disk of label 'CLAW_TWIN': is on more than one disk: virtio-TWIN (",
        verdict="unknown", rests_as={"label": "CLAW_TWIN"},
    ),
    VmKind("TWIN-B", "", 'mke2fs -q -t ext4 -L CLAW_TWIN "$1"', None),
    VmKind(
        "SWAP", "swap, in use, then not", 'mkswap -q -L SWAP0 "$1"; swapon "$1"',
        "is in use as swap; it belongs to the machine", 'swapoff "$1"',
        "holds swap space named 'SWAP0'",
    ),
    VmKind(
        "ZFS", "a member of a ZFS pool", written((16384, zfs())),
        "holds a member of a ZFS pool named 'tank'; see `zpool import`", mib=128,
    ),
    VmKind(
        "RO", "a disk that is read-only", "", "is read-only; make it writable", read_only=True,
    ),
    VmKind(
        "TABLE", "a disk that a mapping of nobody's holds, then with a partition table alone",
        'echo ",16M" | sfdisk -q "$1"; udevadm settle\n'
        'dmsetup create somebody --table "0 8192 linear $1-part1 0"',
        "(somebody); see `lsblk /dev/disk/by-id/virtio-TABLE`; let go of it first",
        "dmsetup remove somebody", "holds a partition table (MBR) with 1 partition;",
    ),
]  # fmt: skip
