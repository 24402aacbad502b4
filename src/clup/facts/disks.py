"""All block devices of the machine and what is on them, in one command.

Needs sh, coreutils, findutils, perl-base and util-linux: it is read before anything is installed.
"""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script
from clup.disks.machine import Answer, BlockDevice, Machine, Mount, Sample, Signature
from clup.facts.reading import whole
from clup.machine.selector import plain, wwn

_READ = Path(__file__).with_suffix(".sh").read_text()


@dataclass
class _Seen:
    """One device's lines, by their first word."""

    words: list[str]
    lines: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def first(self, word: str) -> str:
        return next(iter(self.lines[word]), "")


class Disks(FactBase[Machine]):
    """Return the machine's block devices, mounts and swaps, and what clup remembers of them."""

    def command(self) -> StringCommand:
        return script(_READ)

    def process(self, output: Iterable[str]) -> Machine:
        return parse(output)


def parse(output: Iterable[str]) -> Machine:
    """Given the lines of the reading, return the machine.

    Raise FactProcessError when its end is missing: a mount or a record might be, too.
    """
    seen: dict[str, _Seen] = {}
    rest: dict[str, list[str]] = defaultdict(list)
    device = None
    for line in whole(output, "the disks"):
        word, _, value = line.partition(" ")
        if word == "device":
            device = _Seen(value.split(" "))
            seen[device.words[0]] = device
        elif word in ("link", "mount", "swap", "marker", "record"):
            rest[word].append(value)
        elif device is not None:
            device.lines["tag" if line.startswith("ID_") else word].append(
                line if line.startswith("ID_") else value
            )
    return Machine(
        devices={name: _device(one) for name, one in seen.items()},
        links=dict(_link(value) for value in rest["link"]),
        mounts=tuple(_mount(value) for value in rest["mount"]),
        swaps=frozenset(_unescaped(value.split()[0]) for value in rest["swap"]),
        records=dict(_named(value, ".uuid") for value in rest["record"]),
        markers=dict(_marker(value) for value in rest["marker"]),
    )


def _device(seen: _Seen) -> BlockDevice:
    name, number, size, read_only, partition = seen.words
    listed = _answer(seen.first("wipefs"))
    return BlockDevice(
        name=name,
        number=number,
        size=int(size),
        node=seen.first("node") or None,
        read_only=read_only != "0",
        partition=partition == "yes",
        partitions=tuple(seen.lines["part"]),
        holders=tuple(seen.lines["holder"]),
        btrfs=seen.first("btrfs"),
        mapping=seen.first("mapping").partition(" ")[0],
        mapping_uuid=seen.first("mapping").partition(" ")[2],
        serials=frozenset(filter(None, (value.strip() for value in seen.lines["serial"]))),
        wwns=frozenset(filter(None, map(wwn, seen.lines["wwn"]))),
        blkid=_answer(seen.first("blkid"), seen.lines["tag"]),
        wipefs=listed,
        signatures=tuple(_signatures(listed)),
        table_entries=int(seen.first("table") or 0),
        samples=tuple(_sample(value) for value in seen.lines["sample"]),
    )


def _answer(value: str, tags: Iterable[str] = ()) -> Answer | None:
    if not value:
        return None
    status, _, said = value.partition(" ")
    found = dict(line.split("=", 1) for line in tags if "=" in line)
    return Answer(int(status), found, said.strip())


def _signatures(listed: Answer | None) -> Iterator[Signature]:
    # wipefs says nothing at all, or an empty list, when there is nothing (versions differ).
    if listed is None or not listed.said or listed.status != 0:
        return
    try:
        found = json.loads(listed.said)["signatures"]
    except (ValueError, KeyError):
        yield Signature("something that cannot be read", "?")
        return
    for one in found:
        yield Signature(str(one.get("type")), str(one.get("offset")))


def _sample(value: str) -> Sample:
    offset, length, status, at, sector = [*value.split(" "), ""][:5]
    return Sample(
        int(offset), int(length), int(status),
        None if at == "-" else int(at), bytes.fromhex(sector),
    )  # fmt: skip


def _link(value: str) -> tuple[str, str]:
    name, _, target = value.partition(" ")
    path = posixpath.normpath(posixpath.join("/dev/disk/by-id", target))
    return plain(name), path.removeprefix("/dev/").replace("/", "!")


def _mount(value: str) -> Mount:
    left, _, right = value.partition(" - ")
    _id, _parent, number, root, target, options, *_ = left.split(" ")
    kind, source, *_ = right.split(" ")
    return Mount(
        number, _unescaped(root), _unescaped(target), frozenset(options.split(",")), kind,
        _unescaped(source),
    )  # fmt: skip


def _named(value: str, suffix: str) -> tuple[str, str]:
    name, _, rest = value.partition(" ")
    return name.removesuffix(suffix), rest.strip()


def _marker(value: str) -> tuple[str, int]:
    name, text = _named(value, ".json")
    try:
        return name, int(json.loads(text)["disk"]["size"])
    except (ValueError, KeyError, TypeError):
        return name, 0


def _unescaped(value: str) -> str:
    """Given a field of mountinfo or swaps, return it without its octal escapes."""
    return value.encode("latin-1", "replace").decode("unicode_escape") if "\\" in value else value
