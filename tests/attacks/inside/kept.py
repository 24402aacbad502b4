"""What the runner let happen, as Docker's events tell it, and what it keeps, as it lies on disk."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.attacks.inside import look

RUNNER = 7003
"""The runner's user id."""
MOST_FILES = 1000
MOST_BYTES = look.LIMIT_MB << 20


def ran_wrong(events: list[Any], may_run: set[str], most: int | None) -> Iterator[str]:
    """Given what Docker did during an attack, the jobs that its token allows and, if that is
    bounded, how many may be made, yield what is more. One job at a time may run."""
    running: set[str] = set()
    made = 0
    for event in events:
        said = event["Actor"]["Attributes"]
        name = said.get("name", "")
        if event["Type"] != "container" or not look.NAME.fullmatch(name) or name in look.OURS:
            continue
        made += event["Action"] == "create"
        if event["Action"] == "start":
            running.add(name)
            if said.get("clup.job") not in may_run:
                yield f"ran: {said.get('clup.job')}, which the token does not allow"
            if len(running) > 1:
                yield f"ran: {len(running)} jobs of the caller at a time"
        elif event["Action"] == "die":
            running.discard(name)
    if most is not None and made > most:
        yield f"ran: {made} containers were made, of {most} at most"


def kept_wrong(reports: Path, since: float) -> Iterator[str]:
    """Given the folder of reports, yield what jobs have left there since a time and may not."""
    for folder in reports.iterdir():
        if folder.lstat().st_ctime < since:
            continue
        left = list(folder.glob("artifacts/**/*"))
        files = [path for path in left if not path.is_symlink() and path.is_file()]
        yield from (f"flag: {path.name}" for path in left if path.name.startswith("FLAG-"))
        if len(files) > MOST_FILES:
            yield f"kept: {len(files)} files of a job"
        if sum(path.stat().st_size for path in files) > MOST_BYTES:
            yield "kept: more bytes of artifacts than a job may leave"
        if (folder / "log").exists() and (folder / "log").stat().st_size > 1.5 * MOST_BYTES:
            yield "kept: a longer log than a job may have"
        for path in [folder, *left]:
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
                yield f"kept: {path.name!r} is of mode {status.st_mode:o}"
            elif status.st_uid != RUNNER or status.st_mode & 0o7022:
                yield f"kept: {path.name!r} is {status.st_mode:o} of user {status.st_uid}"
            elif stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                yield f"kept: {path.name!r} has another name"
            if not path.name.isprintable():
                yield f"kept: a name that is shown to people: {path.name!r}"
