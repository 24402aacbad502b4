"""What clup manages on a machine, written down there: so that what leaves the settings is known.

Nothing is removed because it left the settings. It stays, and is listed as unmanaged until somebody
forgets it or has it removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyinfra.api.host import Host

from clup import settings
from clup.transport import guard, raw

PATH = "/var/lib/clup/managed"
"""The record on the machine, a line for each thing. It holds no secret."""

KINDS = {
    "account": 'getent passwd -- "$2"',
    "group": 'getent group -- "$2"',
    "mount": 'findmnt -n -M "$2" || findmnt -n -s -M "$2"',
    "folder": '[ -d "$2" ] && [ ! -L "$2" ]',
    "file": '[ -e "$2" ] || [ -L "$2" ]',
    "stack": '[ -d "/var/lib/clup/stacks/$2" ]',
    "package": "dpkg-query -W -f '${db:Status-Status}' -- \"$2\" | grep -qx installed",
}
"""The kinds of thing, each with the sh test of whether the one named $2 is there."""

# The whole record is replaced at once. A machine without clup's own folder gets it with a mode that
# the role base still has to correct: its operation, which a plan has listed, is to find work.
# $1 the record; what is added comes as lines.
_ADD = """set -eu
umask 077
[ -d "${1%/*}" ] || mkdir -m 1700 -- "${1%/*}"
{ cat; if [ -f "$1" ]; then cat -- "$1"; fi; } | LC_ALL=C sort -u >"$1.new"
sync -- "$1.new"
mv -fT -- "$1.new" "$1"
"""

# $1 the record; what is dropped comes as lines.
_DROP = """set -eu
[ -f "$1" ] || exit 0
umask 077
cat >"$1.drop"
grep -vxF -f "$1.drop" -- "$1" >"$1.new" || [ $? = 1 ]
rm -f -- "$1.drop"
sync -- "$1.new"
mv -fT -- "$1.new" "$1"
"""

_PRESENT = "\n".join(
    [
        "LC_ALL=C; export LC_ALL; there() { case $1 in",
        *(f"{kind}) {test} ;;" for kind, test in KINDS.items()),
        "esac; }",
        'for thing; do if there "${thing%% *}" "${thing#* }" >/dev/null 2>&1',
        'then echo "$thing"; fi; done',
    ]
)


@dataclass(frozen=True, order=True)
class Thing:
    """One thing on a machine: one of the KINDS, and its name or path."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def parsed(lines: Iterable[str]) -> frozenset[Thing]:
    """Given lines of the record, return the things. What is none, such as half a line, is not."""
    pairs = (line.strip().partition(" ") for line in lines)
    return frozenset(Thing(kind, name) for kind, _, name in pairs if kind in KINDS and name)


def nearest(name: str, things: Iterable[Thing]) -> str | None:
    """Given a name that no thing has, return the name of one that was probably meant."""
    return settings.nearest(name, {thing.name for thing in things})


def lines(name: str, left: Iterable[Thing]) -> list[str]:
    """Given a host's name and what left its settings, return the line about it; [] for nothing."""
    listed = ", ".join(map(str, left))
    cure = "it stays until you type `clup remove NAME`; `clup forget NAME` no longer lists it"
    return [f"{name}: unmanaged: {listed}; {cure}"] if listed else []


def add(host: Host, things: Iterable[Thing]) -> None:
    """Write things into a machine's record. Raise OSError when that cannot be."""
    _write(host, _ADD, things)


def drop(host: Host, things: Iterable[Thing]) -> None:
    """Take things out of a machine's record. Raise OSError when that cannot be."""
    _write(host, _DROP, things)


def present(host: Host, things: Iterable[Thing]) -> list[Thing]:
    """Return those of the things that are on the machine, sorted. Raise OSError if it is silent."""
    words = [str(thing) for thing in things]
    if not words:
        return []
    answer = raw.run(host, raw.as_root(host, "sh", "-c", _PRESENT, "sh", *words))
    if answer.status != 0:
        raise OSError(f"what left the settings could not be looked for: {answer.error}")
    return sorted(parsed(answer.stdout.decode(errors="replace").splitlines()))


def _write(host: Host, script: str, things: Iterable[Thing]) -> None:
    text = "".join(f"{thing}\n" for thing in sorted(things))
    if not text:
        return
    words = guard.words(PATH, "sh", "-c", script, "sh", PATH, stdin=text.encode())
    answer = raw.run(host, raw.as_root(host, *words), stdin=text.encode())
    if answer.status != 0:
        raise OSError(f"{PATH}: {answer.error}")
