"""Who may ask for what: a token and a file of rights for each caller.

    tokens/NAME         the token alone, mode 0600: 32 to 128 of A-Z a-z 0-9 _ -
    tokens/NAME.yaml    jobs: [audit, build]   # or: all
                        parallel: 2            # of its jobs run at a time
                        queued: 20             # of its jobs wait
                        sees: own              # or: all, for whoever looks after the runner

Both are read again when they change. A caller with a problem is no caller; the others stay. Hidden
files and backups (.bak.*, ~) are passed over.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.jobs import names
from services.jobs.document import parse
from services.jobs.folder import signature
from services.jobs.problem import JobError
from services.jobs.sheet import Sheet

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,128}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}", re.ASCII)
_SUFFIX = ".yaml"
_LARGEST = 64 * 1024
_MOST = {"parallel": 256, "queued": 10_000}


@dataclass(frozen=True)
class Caller:
    """Somebody who asks for jobs."""

    name: str
    jobs: frozenset[str] | None
    """The jobs it may run; None for all."""
    parallel: int
    queued: int
    sees_all: bool = False
    """Whether it sees, and may end, the jobs of others."""

    def may_run(self, job: str) -> bool:
        """Whether it may run a job."""
        return self.jobs is None or job in self.jobs


@dataclass(frozen=True)
class Known:
    """The callers by the SHA-256 of their tokens, and what is wrong in the folder."""

    callers: Mapping[bytes, Caller] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def find(self, token: str) -> Caller | None:
        """Return the caller of a token. It takes as long for any: hashes are compared, all of
        them, and each to its end."""
        digest = hashlib.sha256(token.encode(errors="surrogateescape")).digest()
        found = None
        for known, caller in self.callers.items():
            if hmac.compare_digest(known, digest):
                found = caller
        return found

    def limits(self) -> dict[str, int]:
        """Return how many jobs of each caller may run at a time."""
        return {caller.name: caller.parallel for caller in self.callers.values()}


def read_rights(text: str, name: str, origin: str) -> Caller:
    """Given the text of a file of rights, return the caller. Raise JobError with all problems."""
    sheet = Sheet(parse(text, origin))
    said = sheet.fields((), sheet.document.data, ("jobs",), (*_MOST, "sees"))
    jobs: frozenset[str] | None = None
    if said.get("jobs") != "all" and "jobs" in said:
        cure = "write names of jobs, or instead of the list: all"
        listed = sheet.texts(("jobs",), said["jobs"], names.JOB, 256, cure)
        jobs = frozenset(listed or ())
    parallel = sheet.integer(("parallel",), said.get("parallel", 2), 1, _MOST["parallel"])
    queued = sheet.integer(("queued",), said.get("queued", 20), 1, _MOST["queued"])
    sees = sheet.one_of(("sees",), said.get("sees", "own"), ("own", "all"))
    if sheet.problems or parallel is None or queued is None:
        raise JobError(sheet.problems)
    return Caller(name, jobs, parallel, queued, sees == "all")


def read_folder(folder: Path) -> Known:
    """Given the folder of tokens and rights, return who is known by them."""
    callers: dict[bytes, Caller] = {}
    problems: list[str] = []
    try:
        found = sorted(path for path in folder.iterdir() if not _is_passed_over(path.name))
    except OSError as error:
        return Known(problems=(f"{folder}: cannot be read: {error.strerror}",))
    tokens = {path.name for path in found if path.suffix != _SUFFIX}
    rights = {path.stem for path in found if path.suffix == _SUFFIX}
    for name in sorted(tokens ^ rights):
        missing = f"{name}{_SUFFIX}, its rights," if name in tokens else f"{name}, its token,"
        problems.append(f"{folder / name}: {missing} is missing; the caller is not let in")
    for name in sorted(tokens & rights):
        try:
            digest = _read_token(folder / name)
            caller = read_rights(
                _read(folder / f"{name}{_SUFFIX}").decode(), name, str(folder / f"{name}{_SUFFIX}")
            )
        except OSError as error:
            problems.append(f"{folder / name}: cannot be read: {error.strerror}")
        except JobError as error:
            problems += map(str, error.problems)
        except ValueError as error:
            problems.append(f"{folder / name}: {error}")
        else:
            if digest in callers:
                other = callers[digest].name
                problems.append(f"{folder / name}: has the token of {other}; make a new one")
            else:
                callers[digest] = caller
    return Known(callers, tuple(problems))


def _is_passed_over(name: str) -> bool:
    """Whether a file is hidden or a backup, as in the folder of jobs."""
    return name.startswith(".") or name.endswith("~") or ".bak." in name


def _read_token(path: Path) -> bytes:
    """Return the SHA-256 of a token. Raise ValueError when it is none, or not kept secret; what the
    file holds is never told."""
    if not _NAME.fullmatch(path.name):
        raise ValueError("is no caller's name; use a-z, 0-9, _ and -, a letter first, at most 41")
    token = _read(path, secret=True).removesuffix(b"\n").decode("ascii", errors="replace")
    if not _TOKEN.fullmatch(token):
        raise ValueError("holds no token; write 32 to 128 of A-Z a-z 0-9 _ - there, and no more")
    return hashlib.sha256(token.encode()).digest()


def _read(path: Path, secret: bool = False) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise ValueError("is no regular file")
        if secret and mode & 0o077:
            raise ValueError(f"can be read by others (mode {mode & 0o777:04o}); chmod 0600 it")
        return file.read(_LARGEST)


class Callers:
    """The callers of a folder, read again when a file in it has changed."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._signature = signature(folder)
        self._known = read_folder(folder)

    def current(self) -> Known:
        """Return the callers as they are now."""
        found = signature(self._folder)
        if found != self._signature:
            self._signature, self._known = found, read_folder(self._folder)
        return self._known
