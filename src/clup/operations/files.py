"""Directories and configuration files: converged, backed up before they are replaced, proved.

What must still happen after a change, such as a restart, belongs to the same operation and is
written down on the machine before the change: a run that was cut does it when it is run again.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from pyinfra.api.command import StringCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.command import script, sh
from clup.facts.paths import Paths, PathState, Text
from clup.operations.steps import Steps, ensure, refuse

PENDING = "/var/lib/clup/pending"
"""The folder on the machine that holds a file for each action that is still to be done."""

# What is replaced is on the disk before what replaces it: a copy's name is there some 30 s before
# its data, unless that is asked for.
KEEP = """set -eu
keep() {
  if [ ! -e "$1" ] && [ ! -L "$1" ]; then return; fi
  kept=$1.bak.$(date -u +%Y%m%d-%H%M%S)
  while [ -e "$kept" ] || [ -L "$kept" ]; do kept=$kept-2; done
  cp -a -- "$1" "$kept"
  if [ -f "$kept" ]; then sync -- "$kept"; fi
}
"""

# The candidate lies beside its target, so that the move is atomic and /tmp may be full. It bears
# the target's name: the next run removes what a killed one left.
# $1 path, $2 user, $3 group, $4 mode, $5 sh test of "$candidate"; the content comes as base64.
_WRITE = f"""{KEEP}
umask 077
cure="mend that, then apply again"
candidate=${{1%/*}}/.clup.${{1##*/}}.
rm -f -- "$candidate"??????
candidate=$(mktemp "${{candidate}}XXXXXX")
export candidate
trap 'status=$?; rm -f "$candidate"; [ "$status" = 0 ] || echo "$1 is as it was; $cure" >&2' EXIT
base64 -d >"$candidate"
if [ -n "$5" ]; then sh -euc "$5"; fi
chown -- "$2:$3" "$candidate"
chmod -- "$4" "$candidate"
keep "$1"
sync -- "$candidate"
mv -fT -- "$candidate" "$1"
"""

_OWN = 'set -e; chown -h -- "$2:$3" "$1"; chmod -- "$4" "$1"'


# A folder is entered, then owned as ".": whoever owns the one above cannot exchange it for a
# link in between. Five digits of mode, as chmod keeps a folder's setgid bit with fewer.
# $1 path, $2 user, $3 group, $4 mode, $5 mount point that must be mounted, or nothing.
_DIRECTORY = """set -eu
if [ -n "$5" ] && ! mountpoint -q -- "$5"; then
  echo "$5 is not mounted; $1 would come to lie on another disk" >&2; exit 1
fi
[ -e "$1" ] || [ -L "$1" ] || mkdir -m 0700 -- "$1"
above=$(cd -P -- "${1%/*}/" && pwd)
cd -P -- "$1"
if [ "$(pwd)" != "${above%/}/${1##*/}" ]; then echo "$1 is a link, not a folder" >&2; exit 1; fi
chown -- "$2:$3" .
chmod -- "0$4" .
"""


@dataclass(frozen=True)
class File:
    """A file as it should be.

    `validate` is a constant sh script that judges the file at "$candidate" before it is put in
    place; a status other than 0 leaves the old file. A `secret` never shows in a diff. A file that
    is `edited` holds what others wrote, too: a stricter mode stays, and its diff shows the least.
    A `program` is a part of clup itself: a plan counts its lines, which stand in the checkout.
    Lone surrogates in the content stand for bytes that are no UTF-8, and are written as those.
    """

    path: str
    content: str
    user: str = "root"
    group: str = "root"
    mode: str = "0644"
    secret: bool = False
    validate: str = ""
    edited: bool = False
    program: bool = False

    @property
    def data(self) -> bytes:
        return self.content.encode("utf-8", errors="surrogateescape")

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def is_written(self, state: PathState | None) -> bool:
        """Whether the content there is this one's, whoever owns it."""
        return state is not None and state.kind == "file" and state.sha256 == self.sha256

    def is_converged(self, state: PathState | None) -> bool:
        """Whether content, owner, group and mode are all as they should be."""
        return self.is_written(state) and owned(state, *self.owner(state))

    def owner(self, state: PathState | None) -> tuple[str, str, str]:
        """Given what is there, return the user, group and octal mode that it should have."""
        mode = self.mode
        if self.edited and state is not None:
            # The mode of what a link leads to is not known: nobody but its owner may read it.
            mode = stricter(state.mode if state.kind == "file" else "0600", mode)
        return self.user, self.group, mode


def marker(pending: str) -> str:
    """Given the name of an action, return the path that is there while it is still to be done."""
    return f"{PENDING}/{pending}"


def owned(state: PathState | None, user: str, group: str, mode: str) -> bool:
    """Whether a path belongs to that user and group and has that octal mode, such as "0750"."""
    return state is not None and (state.user, state.group, state.mode) == (user, group, mode)


def stricter(found: str, mode: str) -> str:
    """Given two octal modes, the one that is there first, return the bits that both have."""
    return f"{int(mode, 8) & int(found, 8):04o}"


@operation()
def directory(
    path: str, user: str, group: str, mode: str, among: tuple[str, ...] = (), mount: str = ""
) -> Steps:
    """Converge one directory; its parents exist, and nothing below it is touched.

    `among` names all the paths that a series of these operations is about: their states are
    then read in the same one command. `mount` is the mount point above it: while nothing is
    mounted there, the operation fails rather than write to the disk underneath.
    """
    asked = among if path in among else (path,)
    state = host.get_fact(Paths, paths=asked)[path]
    if state is not None and state.kind != "directory":
        yield refuse(path, f"is a {state.kind}, not a directory", "move it away, then apply again")
        return
    if owned(state, user, group, mode):
        return
    if state is not None:
        found = f"{state.user}:{state.group} {state.mode}"
        report.evidence(f"{path}: {found} -> {user}:{group} {mode}")
    yield script(_DIRECTORY, path, user, group, mode, mount)
    yield ensure(path, lambda: _wrong(path, user, group, mode, asked))


@operation()
def configured(
    files: Sequence[File],
    then: Sequence[StringCommand] = (),
    pending: str | None = None,
    because: str = "",
    among: tuple[str, ...] = (),
) -> Steps:
    """Converge files that belong together, then do what their change asks for.

    Each file that is replaced is kept as `PATH.bak.<UTC timestamp>`. `then` runs after a change
    of any of them; `pending` names the marker by which a later run knows that it is still owed.
    `because` says why it is due although the files are right, such as a daemon that differs.
    `among` names all the paths that a series of these operations is about, the markers' too (see
    `marker`): their states are then read in the same one command.
    """
    if bool(then) != bool(pending):
        raise ValueError("what runs after a change needs the name of its marker, and the reverse")
    owing = marker(pending or "")
    needed = tuple(file.path for file in files) + ((owing,) if pending else ())
    asked = among if set(needed) <= set(among) else needed
    states = host.get_fact(Paths, paths=asked)
    wrong = [file for file in files if not file.is_converged(states[file.path])]
    owed = pending is not None and states[owing] is not None
    if not wrong and not owed and not because:
        return
    if because:
        report.evidence(because)
    for file in wrong:
        state = states[file.path]
        if state is not None and state.kind not in ("file", "link"):
            yield refuse(file.path, f"is a {state.kind}, not a file", "move it away, apply again")
            return
        _show(file, state)
    if pending:
        if owed and not wrong:
            report.evidence(f"still owed from an earlier run: {pending}")
        yield script('set -e; install -d -m 0700 -- "${1%/*}"; : >"$1"; sync -- "$1"', owing)
    for file in wrong:
        state = states[file.path]
        owner = file.owner(state)
        if file.is_written(state):
            yield script(_OWN, file.path, *owner)
        else:
            content = base64.encodebytes(file.data).decode()
            yield script(_WRITE, file.path, *owner, file.validate, stdin=content)
    yield from then
    if pending:
        yield sh("rm", "-f", "--", owing)
    yield ensure("configuration", lambda: _unconverged(files, asked))


@operation()
def linked(path: str, target: str) -> Steps:
    """Converge a symbolic link; what was there is kept as `PATH.bak.<UTC timestamp>`."""
    state = host.get_fact(Paths, paths=(path,))[path]
    if state is not None and state.target == target:
        return
    if state is not None and state.kind not in ("file", "link"):
        yield refuse(path, f"is a {state.kind}, not a link", "move it away, then apply again")
        return
    yield script(f'{KEEP}keep "$1"; ln -sfnT -- "$2" "$1"', path, target)
    yield ensure(path, lambda: _wrong_link(path, target))


def _show(file: File, state: PathState | None) -> None:
    if file.secret:
        report.evidence(f"{file.path}: a secret would be written; its content is not shown")
    elif file.is_written(state):
        assert state is not None
        found = f"{state.user}:{state.group} {state.mode}"
        user, group, mode = file.owner(state)
        report.evidence(f"{file.path}: {found} -> {user}:{group} {mode}")
    elif file.program:
        lines = len(file.content.splitlines())
        report.evidence(f"{file.path}: {lines} lines of clup's own program would be written")
    else:
        before = host.get_fact(Text, path=file.path) if state is not None else None
        report.diff(file.path, before, file.content, edited=file.edited)


def _wrong(path: str, user: str, group: str, mode: str, asked: tuple[str, ...]) -> str | None:
    state = host.get_fact(Paths, paths=asked)[path]
    if state is not None and state.kind == "directory" and owned(state, user, group, mode):
        return None
    return f"is {state} after the change, not a directory of {user}:{group} with mode {mode}"


def _wrong_link(path: str, target: str) -> str | None:
    state = host.get_fact(Paths, paths=(path,))[path]
    return None if state and state.target == target else f"is {state}, not a link to {target}"


def _unconverged(files: Sequence[File], asked: tuple[str, ...]) -> str | None:
    states = host.get_fact(Paths, paths=asked)
    wrong = [file.path for file in files if not file.is_converged(states[file.path])]
    return f"not as it should be after the change: {', '.join(wrong)}" if wrong else None
