"""The jobs of a folder: one YAML file each, which only root writes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from services.jobs.definition import Job, read_job
from services.jobs.document import LARGEST
from services.jobs.folder import signature
from services.jobs.problem import JobError, Problem

_SUFFIX = ".yaml"


@dataclass(frozen=True)
class Jobs:
    """The jobs by name, the digest of the files they come from, and what is wrong in others."""

    jobs: Mapping[str, Job] = field(default_factory=dict)
    digest: str = hashlib.sha256().hexdigest()
    problems: tuple[Problem, ...] = ()


def read_folder(folder: Path, owner: int | None = None) -> Jobs:
    """Given a folder, return the jobs of its files NAME.yaml. A file with a problem is no job.

    With an owner (a user id), folder and files must be theirs and writable by nobody else. Hidden
    files and backups (.bak.*, ~) are passed over.
    """
    jobs: dict[str, Job] = {}
    problems: list[Problem] = []
    digest = hashlib.sha256()
    try:
        problems += _writers(folder, folder.stat(), owner)
        entries = sorted(folder.iterdir())
    except OSError as error:
        return Jobs(problems=(_unreadable(folder, error),))
    for path in entries:
        if path.name.startswith(".") or path.name.endswith("~") or ".bak." in path.name:
            continue
        try:
            text = _read(path, owner)
            digest.update(f"{path.name}\0{len(text)}\0{text}".encode())
            jobs[path.stem] = read_job(text, path.stem, str(path))
        except OSError as error:
            problems.append(_unreadable(path, error))
        except JobError as error:
            problems += error.problems
    return Jobs(jobs, digest.hexdigest(), tuple(problems))


class Catalogue:
    """The jobs of a folder, read again when a file has changed.

    A change that has a problem is reported and not taken over: what was read before stays in force.
    At the start there is no before, and the jobs without a problem are taken.
    """

    def __init__(self, folder: Path, owner: int | None = None):
        self.folder = folder
        self.owner = owner
        self._signature = signature(folder)
        self._jobs = read_folder(folder, owner)

    def current(self) -> Jobs:
        """Return the jobs as they are now, with the problems of a change that was not taken."""
        found = signature(self.folder)
        if found != self._signature:
            fresh = read_folder(self.folder, self.owner)
            if fresh.problems and self._jobs.jobs:
                fresh = Jobs(self._jobs.jobs, self._jobs.digest, fresh.problems)
            self._signature, self._jobs = found, fresh
        return self._jobs


def _read(path: Path, owner: int | None) -> str:
    if path.suffix != _SUFFIX:
        reason = "is no job file"
        raise JobError([_problem(path, reason, f"name it NAME{_SUFFIX}, or move it elsewhere")])
    # The one descriptor is judged and read: what the name stands for later does not count. Nothing
    # is waited for, should it be a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise JobError([_problem(path, "is no regular file", "put a file there")])
        if problems := _writers(path, status, owner):
            raise JobError(problems)
        content = os.read(descriptor, LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(content) > LARGEST:
        raise JobError([_problem(path, f"has more than {LARGEST} bytes", "write less")])
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 (byte {error.start})"
        raise JobError([_problem(path, reason, "save it as UTF-8")]) from error


def _writers(path: Path, status: os.stat_result, owner: int | None) -> list[Problem]:
    if owner is None:
        return []
    problems = []
    if status.st_uid != owner:
        reason = f"belongs to user {status.st_uid}"
        problems.append(_problem(path, reason, f"chown {owner} {path}"))
    if status.st_mode & 0o022:
        reason = f"is writable by others (mode {stat.S_IMODE(status.st_mode):04o})"
        problems.append(_problem(path, reason, f"chmod go-w {path}"))
    return problems


def _unreadable(path: Path, error: OSError) -> Problem:
    return _problem(path, f"cannot be read: {error.strerror}", f"see `ls -la {path.parent}`")


def _problem(path: Path, reason: str, cure: str) -> Problem:
    return Problem("the file", "", reason, cure, str(path))
