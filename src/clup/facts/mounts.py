"""Mount points: the folder that a mount hides, and the root of what is mounted there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script
from clup.facts.reading import whole

SCRIPT = Path(__file__).with_suffix(".sh").read_text()
"""Takes the mount points as arguments; its output is what `parse` reads."""


@dataclass(frozen=True)
class MountPoint:
    """The folder at a path, as it is without what is mounted on it.

    `kind` is "hidden" when it cannot be seen. `immutable` is None where its filesystem has no
    such flag. `entries` are the first of the things in it. `root` is owner, group and octal mode
    of what one sees at the path, which is the mounted filesystem's root if there is one.
    """

    kind: Literal["folder", "absent", "other", "hidden"] = "hidden"
    immutable: bool | None = None
    entries: tuple[str, ...] = ()
    root: tuple[str, str, str] | None = None


class MountPoints(FactBase[dict[str, MountPoint]]):
    """Given mount points, return the state of each by its path."""

    def command(self, paths: tuple[str, ...]) -> StringCommand:
        return script(SCRIPT, *paths)

    def process(self, output: list[str]) -> dict[str, MountPoint]:
        return parse(output)


def parse(output: Iterable[str]) -> dict[str, MountPoint]:
    """Given the lines of the reading, return the mount points by their paths.

    Raise FactProcessError when its end is missing.
    """
    found: dict[str, MountPoint] = {}
    path = ""
    for line in whole(output, "the mount points"):
        word, _, value = line.partition(" ")
        state = found.get(path, MountPoint())
        if word == "path":
            path = value
            found.setdefault(path, MountPoint())
        elif word == "root":
            user, group, mode = value.split(" ")
            found[path] = replace(state, root=(user, group, mode.zfill(4)))
        elif word == "absent":
            found[path] = replace(state, kind="absent")
        elif word == "other":
            found[path] = replace(state, kind="other")
        elif word == "folder":
            immutable = None if value == "none" else "i" in value
            found[path] = replace(state, kind="folder", immutable=immutable)
        elif word == "entry":
            found[path] = replace(state, entries=(*state.entries, value))
    return found
