"""Kinds of disk that are not blank: how each comes about, and what is said about it.

What common tools make was recorded from those tools (recorded.json: the parts that are not
zeros), so that the tests need none of them installed.
"""

from __future__ import annotations

import base64
import io
import json
import random
import struct
import subprocess
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clup.disks.verdict import Kind
from tests.faults.disks.loops import MIB

RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text())


@dataclass(frozen=True)
class Stranger:
    """A disk that must not be formatted.

    `make` writes a file of `mib` MiB; `planned` is the verdict before the disk is read in full,
    `says` what the operator is told: by the plan, or by the proof when the plan found nothing.
    """

    name: str
    make: Callable[[Path], object]
    says: str
    planned: Kind = "foreign"
    mib: int = 64


def recorded(name: str, says: str) -> Stranger:
    def make(path: Path) -> None:
        for offset, packed in RECORDED[name]["pieces"]:
            put(path, offset, zlib.decompress(base64.b64decode(packed)))

    return Stranger(name, make, says, mib=RECORDED[name]["mib"])


def tool(name: str, says: str, *words: str, mib: int = 64) -> Stranger:
    def make(path: Path) -> None:
        subprocess.run([*words, str(path)], check=True, capture_output=True)

    return Stranger(name, make, says, mib=mib)


def put(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def some_bytes(name: str, offset: int, data: bytes, says: str, planned: Kind) -> Stranger:
    return Stranger(name, lambda path: put(path, offset, data), says, planned)


def only_the_backup_of_a_gpt(path: Path) -> None:
    recorded("gpt", "").make(path)
    put(path, 0, bytes(MIB))


def a_beginning_of_zeros(path: Path) -> None:
    """What `dd if=/dev/zero bs=1M count=8` leaves of a filesystem that was in use."""
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", str(path)], check=True)
    put(path, 0, bytes(8 * MIB))


def raid_member(path: Path) -> None:
    """A superblock of md, version 1.2 (include/uapi/linux/raid/md_p.h, struct mdp_superblock_1)."""
    head = struct.pack(
        "<IIII16s32sQIIQII", 0xA92B4EFC, 1, 0, 0, b"0123456789abcdef", b"nas:0", 0, 1, 0,
        100_000, 0, 2,
    )  # fmt: skip
    block = bytearray(head.ljust(128, b"\0"))
    block += struct.pack("<QQQQIIBBBB", 2048, 100_000, 8, 0, 0, 0, 0, 0, 0, 0).ljust(64, b"\0")
    block += struct.pack("<QQQIII", 0, 0, 0, 0, 2, 0).ljust(64, b"\0")
    block += struct.pack("<HH", 0, 1)
    words = struct.unpack(f"<{len(block) // 4}I", block)
    total = sum(words)
    put_at = 216
    struct.pack_into("<I", block, put_at, (total & 0xFFFFFFFF) + (total >> 32) & 0xFFFFFFFF)
    put(path, 4096, bytes(block))


def tar(path: Path) -> None:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        member = tarfile.TarInfo("home/psy/notes.txt")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"notes"))
    put(path, 0, held.getvalue())


def two_signatures(path: Path) -> None:
    subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", str(path)], check=True)
    _offset, packed = RECORDED["xfs"]["pieces"][0]
    put(path, 0, zlib.decompress(base64.b64decode(packed))[:512])


STRANGERS = [
    tool("ext4, another label", "an ext4 filesystem labelled 'OLD_DATA', not 'CLAW_DATA'",
         "mke2fs", "-q", "-F", "-t", "ext4", "-L", "OLD_DATA"),
    tool("ext4, no label", "an ext4 filesystem without a label, not 'CLAW_DATA'",
         "mke2fs", "-q", "-F", "-t", "ext4"),
    tool("ext2, our label", "type ext2 labelled 'CLAW_DATA'; a label alone is no proof",
         "mke2fs", "-q", "-F", "-t", "ext2", "-L", "CLAW_DATA"),
    tool("ext3", "a filesystem of type ext3 labelled 'BACKUP'",
         "mke2fs", "-q", "-F", "-t", "ext3", "-L", "BACKUP"),
    tool("an external journal", "the external journal of another ext filesystem",
         "mke2fs", "-q", "-F", "-O", "journal_dev"),
    tool("swap", "holds swap space named 'SWAP0'", "mkswap", "-L", "SWAP0"),
    tool("minix", "holds a filesystem of type minix", "mkfs.minix"),
    recorded("vfat", "a filesystem of type vfat labelled 'CLAW_DATA'; a label alone is no proof"),
    recorded("xfs", "a filesystem of type xfs labelled 'CLAW_DATA'; a label alone is no proof"),
    recorded("btrfs", "holds a filesystem of type btrfs labelled 'OLD_POOL'"),
    recorded("ntfs", "holds a filesystem of type ntfs labelled 'WINDOWS'"),
    recorded("exfat", "holds a filesystem of type exfat labelled 'CAMERA'"),
    recorded("f2fs", "holds a filesystem of type f2fs labelled 'PHONE'"),
    recorded("gpt", "holds a partition table (GPT) with 2 partitions"),
    recorded("gpt-empty", "holds a partition table (GPT) without partitions"),
    recorded("mbr", "holds a partition table (MBR) with 2 partitions"),
    recorded("mbr-empty", "holds a partition table (MBR) without partitions"),
    Stranger("only the backup of a GPT", only_the_backup_of_a_gpt, "holds only the backup"),
    recorded("lvm", "holds an LVM physical volume"),
    recorded("luks2", "holds a LUKS container of version 2"),
    recorded("luks1", "holds a LUKS container of version 1"),
    recorded("bcache", "holds a bcache device"),
    Stranger("md", raid_member, "holds a member of a Linux RAID named 'nas:0'"),
    Stranger("ext4 and xfs", two_signatures, "holds signatures that exclude each other"),
    Stranger("ext4 whose first 8 MiB were zeroed", a_beginning_of_zeros,
             "it looks like a superblock of an ext filesystem", "blank", mib=256),
    Stranger("a tar archive", tar, "it looks like a tar archive"),
    Stranger("garbage", lambda path: put(path, 0, random.Random(7).randbytes(64 * MIB)),
             "carries no signature but is not blank: byte 0 is not zero"),
    some_bytes("three bytes in the middle", 31 * MIB + 17, b"key",
               f"byte {31 * MIB + 17} is not zero (b'key' begins there)", "blank"),
    some_bytes("the last byte", 64 * MIB - 1, b"\xff",
               f"byte {64 * MIB - 1} is not zero (b'\\xff' begins there)", "foreign"),
    some_bytes("the first byte", 0, b"\x01", "byte 0 is not zero (b'\\x01' begins there)",
               "foreign"),
]  # fmt: skip
