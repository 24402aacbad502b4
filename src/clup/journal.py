"""The machine's journal: who applied which revision, with what result. One JSON object a line."""

from __future__ import annotations

import getpass
import json
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from pyinfra.api.host import Host

from clup.transport import guard, raw

PATH = "/var/lib/clup/journal.jsonl"

APPLY = "apply"
"""The action of an entry that does not name one: a revision was applied."""

# Only an apply says which revision a machine has. $1 the journal.
_LAST = """[ -e "$1" ] || exit 0; grep -av '"action": ' -- "$1" | tail -n 9"""

# A line that a full disk or a cut left unfinished is ended first, and stays as it is.
_APPEND = """set -e; umask 077; mkdir -p "${1%/*}"; chmod 0700 "${1%/*}"
if [ -n "$(tail -c 1 "$1" 2>/dev/null)" ]; then echo >>"$1"; fi
cat >>"$1"; sync -- "$1"
"""


@dataclass(frozen=True)
class Entry:
    """One apply, or another `action` such as "remove account bob".

    `result` is "done", "failed" or "interrupted"; the time is UTC in ISO 8601.
    """

    time: str
    who: str
    revision: str
    result: str
    changed: int
    failed: str = ""
    roles: str = "all"
    action: str = APPLY


def entry(
    revision: str, result: str, changed: int, failed: str, roles: str, action: str = APPLY
) -> Entry:
    """Return the entry for what has just ended, by this account on this machine."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Entry(now, account(), revision, result, changed, failed, roles, action)


def account() -> str:
    """Return who runs clup, as USER@MACHINE."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def last(host: Host) -> Entry | None:
    """Return the last apply on a machine, None when there was none.

    Raise ValueError when the journal cannot be read: who knows what was applied then.
    """
    line = raw.as_root(host, "sh", "-c", _LAST, "sh", PATH)
    answer = raw.run(host, line)
    if answer.status != 0:
        raise ValueError(f"{PATH}: {answer.error}")
    text = answer.stdout.decode(errors="replace")
    whole = [entry for entry in map(_parsed, text.splitlines()) if entry is not None]
    if text and not whole:
        raise ValueError(f"{PATH}: none of the last lines is an entry; look at it, then --older")
    return whole[-1] if whole else None


def _parsed(line: str) -> Entry | None:
    """Return the entry of a line; None for one that a full disk or a cut left unfinished."""
    try:
        return Entry(**json.loads(line))
    except (ValueError, TypeError):
        return None


def append(host: Host, new: Entry) -> None:
    """Write an entry at the end of a machine's journal. Raise OSError when it cannot be."""
    said = asdict(new)
    if new.action == APPLY:
        del said["action"]
    data = (json.dumps(said) + "\n").encode()
    words = guard.words("the journal", "sh", "-c", _APPEND, "sh", PATH, stdin=data)
    answer = raw.run(host, raw.as_root(host, *words), stdin=data)
    if answer.status != 0:
        raise OSError(f"{PATH}: {answer.error}")
