"""Make an ext4 filesystem on a disk that is proven blank: proof and mkfs in one process.

The process holds the disk exclusively from the first byte of the proof to the last byte of the
filesystem. mke2fs never opens the disk: it works on a sparse image in memory, of which only the
parts with data are copied, the primary superblock last. So the disk carries no filesystem until
all of one is there, and a process that is killed at any moment leaves zeros and parts of an image
that can be made again, byte for byte, from the marker that was written before the first write.

Runs on the machine as root. Exit status: 0 the filesystem is there; 3 refused, the disk is
untouched; 1 failed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

from clup.machine.blank import erase_it, prove, sampled
from clup.machine.disk import Disk, held, identify, signatures
from clup.machine.ext4 import Recipe, check, make_image, mke2fs_version, used_ranges, write_image
from clup.machine.process import REFUSED, RefusedError, say
from clup.machine.selector import Selector


@dataclass(frozen=True)
class Order:
    """What to make and on which disk. `number` (MAJOR:MINOR) and `size` are what the probe saw.

    `id` is the disk's value of the `selector` in the settings. `shown` is its path for messages:
    one that leads to the same disk after a reboot.
    """

    path: str
    shown: str
    number: str
    size: int
    selector: Selector
    id: str
    label: str
    reserved_percent: float
    proof: str
    marker: Path
    record: Path
    wait: float
    deadline: float


def make(order: Order) -> str:
    """Bring the filesystem about and return what was done. Raise RefusedError if not."""
    with held(order.path, order.number, order.wait) as fd:
        disk = identify(fd, order.selector, order.id, order.number, order.size)
        kept = read_marker(order, disk)
        tags = signatures(order.path)
        if is_made(tags, order.label):
            return finish(order, tags, "was already there")
        if tags:
            kind = tags.get("ID_FS_TYPE") or tags.get("ID_PART_TABLE_TYPE") or "something"
            raise RefusedError(f"holds {kind} by now; {erase_it(order.shown)}")
        if kept:
            say(f"{order.shown}: an earlier run was cut; it is finished if nothing else is there")
        recipe = kept or new_recipe(order)
        image = make_image(recipe)
        # Who began and was cut is proven to be nobody else by the whole disk, not by a sample.
        is_full = kept is not None or order.proof == "full"
        whole = [(0, order.size)]
        ranges = whole if is_full else sampled(order.size, used_ranges(image))
        prove(fd, order.shown, ranges, image if kept else None, order.deadline)
        if not kept:
            write_marker(order, disk, recipe)
        write_image(fd, image, order.size)
        check(order.path)
        tags = signatures(order.path)
        if not is_made(tags, recipe.label, recipe.uuid):
            raise RuntimeError(f"blkid does not see the new filesystem on the disk, but {tags}")
        return finish(order, tags, "is made")


def new_recipe(order: Order) -> Recipe:
    """Return the recipe of a filesystem that never was: a UUID of its own, made now."""
    return Recipe(
        label=order.label,
        uuid=str(uuid.uuid4()),
        size=order.size,
        reserved_percent=order.reserved_percent,
        made_at=int(time.time()),
        mke2fs=mke2fs_version(),
    )


def is_made(tags: dict[str, str], label: str, fs_uuid: str | None = None) -> bool:
    """Whether blkid's tags are those of an ext4 filesystem with this label (and this UUID)."""
    return (
        tags.get("ID_FS_TYPE") == "ext4"
        and tags.get("ID_FS_LABEL_ENC") == label
        and fs_uuid in (None, tags.get("ID_FS_UUID"))
    )


def read_marker(order: Order, disk: Disk) -> Recipe | None:
    """Return the recipe of a cut run on this very disk, for this label; None if there is none.

    A marker that cannot be read counts as none: then only zeros are in place on the disk.
    """
    try:
        kept = json.loads(order.marker.read_text())
        recipe = Recipe(**kept["recipe"])
        return recipe if Disk(**kept["disk"]) == disk and recipe.label == order.label else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_marker(order: Order, disk: Disk, recipe: Recipe) -> None:
    """Write down what is about to be made, where: before the first byte of it."""
    text = json.dumps({"disk": asdict(disk), "recipe": asdict(recipe)})
    _write_durably(order.marker, f"{text}\n")


def finish(order: Order, tags: dict[str, str], what: str) -> str:
    """Record which filesystem is ours, then drop the marker: nothing is left to be done."""
    _write_durably(order.record, tags["ID_FS_UUID"] + "\n")
    order.marker.unlink(missing_ok=True)
    _sync_folder(order.marker.parent)
    return f"ext4 {order.label} {tags['ID_FS_UUID']} {what}"


def _write_durably(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    with new.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_order(words: list[str]) -> Order:
    """Given the program's arguments, return the order."""
    parser = argparse.ArgumentParser(description="Make ext4 on a disk that is proven blank.")
    for name in ("path", "shown", "number", "id", "label"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--selector", choices=get_args(Selector), required=True)
    parser.add_argument("--size", type=int, required=True, help="bytes")
    parser.add_argument("--reserved-percent", type=float, default=1.0)
    parser.add_argument("--proof", choices=("full", "sample"), default="full")
    parser.add_argument("--marker", type=Path, required=True)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--wait", type=float, default=300, help="seconds for an earlier run to end")
    parser.add_argument("--deadline", type=float, default=86400, help="seconds to read the disk")
    return Order(**vars(parser.parse_args(words)))


def main(words: list[str]) -> int:
    """Carry out the order in the arguments and return the exit status."""
    order = read_order(words)
    try:
        say(f"{order.id}: {make(order)}")
        return 0
    except RefusedError as refusal:
        line, status = f"{refusal}; the disk is untouched", REFUSED
    except (OSError, RuntimeError) as error:
        line, status = f"{error}; apply again: what was begun is finished, or refused", 1
    sys.stderr.write(f"{order.id} ({order.shown}): {line}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
