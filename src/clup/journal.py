"""The machine's journal: who applied which revision, with what result. One JSON object a line."""

from __future__ import annotations

import getpass
import json
import socket
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from pyinfra.api.host import Host

from clup.transport import raw

PATH = "/var/lib/clup/journal.jsonl"

_APPEND = 'set -e; umask 077; mkdir -p "${1%/*}"; chmod 0700 "${1%/*}"; cat >>"$1"; sync -- "$1"'


@dataclass(frozen=True)
class Entry:
    """One apply. `result` is "done", "failed" or "interrupted"; the time is UTC in ISO 8601."""

    time: str
    who: str
    revision: str
    result: str
    changed: int
    failed: str = ""
    roles: str = "all"


def entry(revision: str, result: str, changed: int, failed: str, roles: str) -> Entry:
    """Return the entry for an apply that has just ended, by this account on this machine."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    who = f"{getpass.getuser()}@{socket.gethostname()}"
    return Entry(now, who, revision, result, changed, failed, roles)


def last(host: Host) -> Entry | None:
    """Return the last apply on a machine, None when there was none.

    Raise ValueError when the journal cannot be read: who knows what was applied then.
    """
    line = raw.as_root(host, "sh", "-c", f"if [ -e {PATH} ]; then tail -n 1 {PATH}; fi")
    answer = raw.run(host, line)
    if answer.status != 0:
        raise ValueError(f"{PATH}: {answer.error}")
    text = answer.stdout.decode(errors="replace").strip()
    try:
        return Entry(**json.loads(text)) if text else None
    except (ValueError, TypeError) as error:
        raise ValueError(f"{PATH}: the last line is no journal entry; remove that line") from error


def append(host: Host, new: Entry) -> None:
    """Write an entry at the end of a machine's journal. Raise OSError when it cannot be."""
    line = json.dumps(asdict(new)) + "\n"
    command = raw.as_root(host, "sh", "-c", _APPEND, "sh", PATH)
    answer = raw.run(host, command, stdin=line.encode())
    if answer.status != 0:
        raise OSError(f"{PATH}: {answer.error}")
