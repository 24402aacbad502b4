"""An ext4 filesystem as a sparse image in memory, and the way of that image to a blank disk."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass

from clup.machine.process import run

BLOCK = 4096
PIECE = 1 << 20
HEAD = (1024, 1536)
"""The first sector of the primary superblock, as (start, end): ext4 is known by what is in it."""

# The features and defaults of the filesystem are ours, not those of the machine's mke2fs.conf: the
# image has to come out the same again, and every supported kernel and rescue disk has to read it.
FEATURES = (
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,"
    "large_file,huge_file,dir_nlink,extra_isize,metadata_csum"
)
MKE2FS_CONF = """\
[defaults]
    default_mntopts = acl,user_xattr
    enable_periodic_fsck = 0
[fs_types]
    ext4 = {
        inode_size = 256
    }
    disk = {
        inode_ratio = 16384
    }
"""


@dataclass(frozen=True)
class Recipe:
    """All that decides the bytes of a filesystem, together with the version of mke2fs.

    `size` in bytes, `made_at` in seconds since 1970.
    """

    label: str
    uuid: str
    size: int
    reserved_percent: float
    made_at: int
    mke2fs: str


def make_image(recipe: Recipe) -> int:
    """Return a descriptor of a sparse file in memory, of the disk's size, with the filesystem.

    16 MB for a disk of 1 TiB, 220 MB for 16 TB. Raise RuntimeError when mke2fs fails.
    """
    conf = os.memfd_create("mke2fs.conf")
    os.write(conf, MKE2FS_CONF.encode())
    image = os.memfd_create("filesystem")
    os.ftruncate(image, recipe.size)
    # The disk is known to hold zeros, so that neither mke2fs nor the kernel has to write them.
    extended = f"hash_seed={recipe.uuid},assume_storage_prezeroed=1,nodiscard"
    made = run(
        *("mke2fs", "-q", "-F", "-t", "ext4", "-T", "disk", "-b", str(BLOCK), "-O", FEATURES),
        *("-E", extended, "-m", str(recipe.reserved_percent), "-L", recipe.label),
        *("-U", recipe.uuid, f"/proc/self/fd/{image}"),
        fds=(conf, image),
        MKE2FS_CONFIG=f"/proc/self/fd/{conf}",
        E2FSPROGS_FAKE_TIME=str(recipe.made_at),
    )
    os.close(conf)
    if made.returncode != 0:
        raise RuntimeError(f"mke2fs failed (status {made.returncode}): {made.stderr.strip()}")
    return image


def mke2fs_version() -> str:
    """Return the first line of `mke2fs -V`."""
    return run("mke2fs", "-V").stderr.partition("\n")[0].strip()


def used_ranges(image: int) -> list[tuple[int, int]]:
    """Return the byte ranges (start, end) that the filesystem in `image` occupies."""
    listing = run("dumpe2fs", f"/proc/self/fd/{image}", fds=(image,))
    if listing.returncode != 0:
        raise RuntimeError(f"dumpe2fs failed on the new image: {listing.stderr.strip()}")
    return used_between(listing.stdout, os.fstat(image).st_size // BLOCK)


def used_between(listing: str, blocks: int) -> list[tuple[int, int]]:
    """Given dumpe2fs's listing of a filesystem of so many blocks, return the bytes in use."""
    used, at = [], 0
    for line in listing.splitlines():
        head, _, free = line.partition("  Free blocks: ")
        for part in free.split(",") if not head and free.strip() else ():
            first, _, last = part.strip().partition("-")
            if int(first) > at:
                used.append((at * BLOCK, int(first) * BLOCK))
            at = int(last or first) + 1
    return [*used, (at * BLOCK, blocks * BLOCK)] if at < blocks else used


def write_image(fd: int, image: int, size: int) -> None:
    """Copy the image to a disk that holds zeros, or parts of this image, where it has none.

    The sector with the superblock's magic, label and UUID comes last, when all else is on the
    disk: until then there is no filesystem, and a sector is written whole or not at all. Raise
    RuntimeError when the disk gives back other bytes.
    """
    first, last = HEAD
    _write(fd, image, [(0, first), (last, size)])
    _write(fd, image, [HEAD])


def _write(fd: int, image: int, ranges: list[tuple[int, int]]) -> None:
    for offset, data in pieces(image, ranges):
        written = 0
        while written < len(data):
            written += os.pwrite(fd, data[written:], offset + written)
    os.fsync(fd)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    for offset, data in pieces(image, ranges):
        if os.pread(fd, len(data), offset) != data:
            raise RuntimeError(f"the disk gives back other bytes than were written at {offset}")


def check(path: str) -> None:
    """Raise RuntimeError when e2fsck, which only reads here, finds a fault on the disk."""
    found = run("e2fsck", "-f", "-n", path)
    if found.returncode != 0:
        raise RuntimeError(f"e2fsck finds faults: {' / '.join(found.stdout.splitlines())}")


def pieces(image: int, ranges: list[tuple[int, int]]) -> Iterator[tuple[int, bytes]]:
    """Yield (offset, bytes) of the data that a sparse file holds in the ranges (start, end)."""
    for at, end in ranges:
        while at < end:
            try:
                first = os.lseek(image, at, os.SEEK_DATA)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
                break
            at = min(end, os.lseek(image, first, os.SEEK_HOLE))
            for offset in range(first, at, PIECE):
                yield offset, os.pread(image, min(PIECE, at - offset), offset)
