"""The files of jobs, as they are in the project and as they come to the machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from clup.operations.files import File
from clup.settings import Problem
from roles.runner.files import JOBS
from roles.runner.images import PROJECT, images
from roles.runner.settings import Settings

if TYPE_CHECKING:
    from services.jobs import Job

_PLAIN, _TEMPLATE = ".yaml", ".yaml.j2"
_PASSED_OVER = ("README.md",)


def read(settings: Settings) -> tuple[dict[str, Job], list[File], list[Problem]]:
    """Given settings, return their jobs by name, the jobs' files, and what is wrong with them.

    A template is given `images`, the images of settings and bundle by their names.
    """
    # Only a site with a runner pays for what reads its jobs.
    from services.jobs import JobError, read_job

    folder = PROJECT / Path(settings.jobs).expanduser()
    known, _ = images(settings)
    jobs: dict[str, Job] = {}
    files: list[File] = []
    problems: list[Problem] = []
    try:
        paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        cure = "name the folder of job files"
        reason = f"cannot be read: {error.strerror}"
        return {}, [], [Problem("runner.jobs", repr(str(folder)), reason, cure)]
    for path in paths:
        if path.name in _PASSED_OVER:
            continue
        name = path.name.removesuffix(".j2").removesuffix(_PLAIN)
        origin = _origin(path)
        if not path.name.endswith((_PLAIN, _TEMPLATE)):
            cure = f"name it NAME{_PLAIN} or NAME{_TEMPLATE}, or move it elsewhere"
            problems.append(Problem("the file", "", "is no job file", cure, origin))
        elif name in jobs:
            cure = f"keep NAME{_PLAIN} or NAME{_TEMPLATE}"
            problems.append(Problem("job", repr(name), "has two files", cure, origin))
        else:
            text, found = _text(path, known)
            problems += found
            if text is None:
                continue
            try:
                jobs[name] = read_job(text, name, origin)
            except JobError as error:
                problems += [Problem(*astuple(each)) for each in error.problems]
            else:
                files.append(File(f"{JOBS}/{name}{_PLAIN}", text))
    return jobs, files, problems


def _text(path: Path, known: Mapping[str, str]) -> tuple[str | None, Iterable[Problem]]:
    if not path.name.endswith(_TEMPLATE):
        try:
            return path.read_text(encoding="utf-8"), ()
        except (OSError, UnicodeDecodeError) as error:
            problem = Problem("the file", "", f"cannot be read: {error}", "mend it", _origin(path))
            return None, (problem,)
    # Only a site with jobs that are templates pays for what renders them.
    from clup.compose.problem import ComposeError
    from clup.compose.render import render

    try:
        return render(path.name, (path.parent,), {"images": known}), ()
    except ComposeError as error:
        return None, error.problems


def _origin(path: Path) -> str:
    return str(path.relative_to(PROJECT) if path.is_relative_to(PROJECT) else path)
