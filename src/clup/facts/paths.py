"""The state of many paths in one command, and the text of one file."""

from __future__ import annotations

import base64
import stat
from collections import defaultdict
from dataclasses import dataclass

from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import FactProcessError
from pyinfra.api.facts import FactBase

from clup.command import script

_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFBLK: "block device",
    stat.S_IFCHR: "character device",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
}
_ABSENT = ("No such file or directory", "Not a directory")


@dataclass(frozen=True)
class PathState:
    """What is at a path. `mode` is octal such as "0750", `sha256` is None unless it is a file."""

    kind: str
    mode: str
    user: str
    group: str
    target: str | None = None
    sha256: str | None = None


def state_of(bits: str, user: str, group: str) -> PathState:
    """Given stat's %f (the mode word in hexadecimal), %U and %G, return the state."""
    mode = int(bits, 16)
    kind = _KINDS.get(stat.S_IFMT(mode), "unknown")
    return PathState(kind, f"{stat.S_IMODE(mode):04o}", user, group)


class Paths(FactBase[dict[str, "PathState | None"]]):
    """Given paths, return the state of each by its name; None for one that is not there.

    Links are not followed. A path that cannot be read for another reason than that it is absent
    fails the host: a guess here could overwrite something.
    """

    @staticmethod
    def default() -> dict[str, PathState | None]:
        """Return what stands for an answer that did not come; no change follows from it."""
        return defaultdict(lambda: None)

    def command(self, paths: tuple[str, ...]) -> StringCommand:
        # stat ends with 1 when any path is absent, which is no error here. The hashes and the
        # links' targets come from one process each, however many paths there are.
        return script(
            'LC_ALL=C; export LC_ALL; stat -c "%f %U %G %n" -- "$@" 2>&1; '
            'for path; do [ -L "$path" ] && printf "link %s\\n%s\\n" "$path" "$(readlink "$path")";'
            ' [ -f "$path" ] && [ ! -L "$path" ] && { set -- "$@" "$path"; }; shift; done; '
            'if [ $# -gt 0 ]; then sha256sum -- "$@"; fi 2>&1 | sed "s/^/sha256 /"; true',
            *paths,
        )

    def process(self, output: list[str]) -> dict[str, PathState | None]:
        states: dict[str, PathState | None] = {}
        hashes: dict[str, str] = {}
        targets: dict[str, str] = {}
        lines = iter(output)
        for line in lines:
            if line.startswith("sha256 "):
                digest, _, path = line.removeprefix("sha256 ").partition("  ")
                hashes[path] = digest
            elif line.startswith("link "):
                targets[line.removeprefix("link ")] = next(lines)
            elif line.startswith("stat: "):
                path = line.split("'")[1] if "'" in line else line
                if not line.endswith(_ABSENT):
                    raise FactProcessError(line)
                states[path] = None
            else:
                bits, user, group, path = line.split(" ", 3)
                states[path] = state_of(bits, user, group)
        return {
            path: state
            and PathState(
                state.kind, state.mode, state.user, state.group, targets.get(path), hashes.get(path)
            )
            for path, state in states.items()
        }


class Text(FactBase[str | None]):
    """Given a path, return the text of the file there, or None if there is none.

    Bytes that are no UTF-8 come as U+FFFD. It travels as base64: pyinfra cuts output that it
    cannot decode, and lines keep their ends. Never for a secret.
    """

    def command(self, path: str) -> StringCommand:
        return script('if [ -f "$1" ]; then echo file; base64 -w0 -- "$1"; fi', path)

    def process(self, output: list[str]) -> str | None:
        if not output or output[0] != "file":
            return None
        return base64.b64decode("".join(output[1:])).decode("utf-8", errors="replace")
