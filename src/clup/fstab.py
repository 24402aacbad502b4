"""The file /etc/fstab: which of its lines are ours, and how it has to be (fstab(5))."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# A missing disk must not stop the boot (nofail), and only what needs it waits for it. That wait is
# long, for a disk that comes after it stays unmounted: a busy host has taken 20 s to find one.
ALWAYS = ("nofail", "x-systemd.device-timeout=90s")


class Conflict(ValueError):  # noqa: N818  not an error of the program: two lines that disagree
    """A line of somebody else's that mounts one of our filesystems; the text names it."""


@dataclass(frozen=True)
class Entry:
    """One of our filesystems: `label` mounted at `mount` with these options."""

    label: str
    mount: str
    options: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        return f"LABEL={self.label} {self.mount} ext4 {','.join(self.options + ALWAYS)} 0 2"


@dataclass(frozen=True)
class Line:
    """The fields of a line that mounts something."""

    spec: str
    mount: str
    type: str
    options: frozenset[str]
    dump: str
    order: str


def fields(line: str) -> Line | None:
    """Given a line of fstab, return its fields; None for a comment, and for what is no entry."""
    words = line.split()
    if len(words) < 3 or words[0].startswith("#"):
        return None
    spec, mount, kind, options, dump, order, *_ = [
        *words,
        *("defaults", "0", "0")[len(words) - 3 :],
    ]
    return Line(
        _unescaped(spec),
        _unescaped(mount).rstrip("/") or "/",
        kind,
        frozenset(options.split(",")) - {"defaults", "rw"},
        dump,
        order,
    )


def is_equivalent(line: Line, entry: Entry, uuid: str | None) -> bool:
    """Whether a line does what ours would: it may name the same filesystem in another way."""
    return (
        _names(line.spec, entry.label, uuid)
        and (line.mount, line.type, line.dump, line.order) == (entry.mount, "ext4", "0", "2")
        and line.options == frozenset(entry.options + ALWAYS)
    )


def converged(text: str, entries: Sequence[Entry], uuids: Mapping[str, str]) -> str:
    """Given the text of fstab, return it with one right line for each entry.

    `uuids` maps labels to the UUIDs of the filesystems that carry them now. Every other line stays
    byte for byte. Raise Conflict when another line mounts one of our filesystems elsewhere.
    """
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for entry in entries:
        lines = _with(lines, entry, uuids.get(entry.label))
    changed = "".join(lines)
    return text if changed == text + "\n" else changed


def _with(lines: list[str], entry: Entry, uuid: str | None) -> list[str]:
    ours: list[int] = []
    for number, line in enumerate(lines):
        found = fields(line)
        if found is None:
            continue
        if found.mount == entry.mount:
            ours.append(number)
        elif found.type != "swap" and _names(found.spec, entry.label, uuid):
            raise Conflict(
                f"line {number + 1} mounts {found.spec} at {found.mount}, "
                f"but that is to be mounted at {entry.mount}"
            )
    right = [n for n in ours if is_equivalent(_known(lines[n]), entry, uuid)]
    keep = right[0] if right else ours[0] if ours else len(lines)
    kept = [line for n, line in enumerate(lines) if n == keep or n not in ours]
    if not right:
        place = keep - sum(1 for n in ours if n < keep)
        kept[place : place + (1 if ours else 0)] = [entry.line + "\n"]
    return kept


def _known(line: str) -> Line:
    found = fields(line)
    assert found is not None
    return found


def _names(spec: str, label: str, uuid: str | None) -> bool:
    tag, _, value = spec.partition("=")
    if tag.upper() in ("LABEL", "UUID") and value:
        value = value.strip('"')
        return value == label if tag.upper() == "LABEL" else value.lower() == uuid
    return spec in (f"/dev/disk/by-label/{label}", f"/dev/disk/by-uuid/{uuid}")


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), field)
