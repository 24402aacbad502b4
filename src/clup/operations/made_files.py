"""Keys and tokens that are made on the machine, and never leave it; ledgers that begin empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.command import script
from clup.facts.made_files import MadeFiles, MadeState
from clup.operations.files import owned
from clup.operations.steps import Steps, ensure, refuse

# 256 bits of the kernel's. The name is given last, and never to what has one already.
# $1 path, $2 user, $3 group, $4 mode, $5 mount point above it, $6 "key" or "empty".
_MAKE = """set -eu
umask 077
if ! mountpoint -q -- "$5"; then
  echo "$5 is not mounted; $1 would come to lie on another disk" >&2; exit 1
fi
candidate=${1%/*}/.clup.${1##*/}.new
rm -f -- "$candidate"
trap 'rm -f -- "$candidate"' EXIT
if [ "$6" = key ]; then
  head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \\n' >"$candidate"
  if [ "$(wc -c <"$candidate")" != 64 ]; then echo "$1 could not be made" >&2; exit 1; fi
else
  : >"$candidate"
fi
chown -- "$2:$3" "$candidate"
chmod -- "$4" "$candidate"
sync -- "$candidate"
ln -T -- "$candidate" "$1"
sync -- "${1%/*}"
"""

_OWN = 'set -e; chown -h -- "$2:$3" "$1"; chmod -- "$4" "$1"'


@dataclass(frozen=True)
class Made:
    """A file that is made where it is missing: a key or a token (`is_key`), else an empty one."""

    path: str
    user: str
    group: str
    mode: str
    is_key: bool

    def wrong(self, state: MadeState | None) -> str:
        """Given what is there, say what is wrong with it; "" for nothing."""
        if state is None:
            return "is not there"
        if state.path.kind != "file":
            return f"is a {state.path.kind}, not a file"
        if self.is_key and not state.is_key:
            return "holds no key"
        if not owned(state.path, self.user, self.group, self.mode):
            found = f"{state.path.user}:{state.path.group} {state.path.mode}"
            return f"is {found}, not {self.user}:{self.group} {self.mode}"
        return ""


@operation()
def made(files: Sequence[Made], mount: str) -> Steps:
    """Make each file that is missing, and give each to its owner; what is in one stays.

    `mount` is the mount point above them; while nothing is mounted there, nothing is made.
    """
    states = host.get_fact(MadeFiles, paths=tuple(file.path for file in files))
    wrong = {file: why for file in files if (why := file.wrong(states.get(file.path)))}
    if not wrong:
        return
    for file, why in wrong.items():
        state = states.get(file.path)
        if state and (state.path.kind != "file" or (file.is_key and not state.is_key)):
            yield refuse(file.path, why, "move it away, then apply again")
            return
        report.evidence(f"{file.path}: {why}")
    for file in wrong:
        owner = (file.path, file.user, file.group, file.mode)
        if states.get(file.path) is None:
            yield script(_MAKE, *owner, mount, "key" if file.is_key else "empty")
        else:
            yield script(_OWN, *owner)
    yield ensure("files that are made here", lambda: _wrong(files))


def _wrong(files: Sequence[Made]) -> str | None:
    states = host.get_fact(MadeFiles, paths=tuple(file.path for file in files))
    found = [f"{file.path} {why}" for file in files if (why := file.wrong(states.get(file.path)))]
    return "; ".join(found) or None
