"""What is wrong with the files that the settings of the runner lead to."""

from __future__ import annotations

from collections.abc import Iterator

from clup.settings import Problem, nearest
from roles.runner.images import images
from roles.runner.jobs import read
from roles.runner.settings import Settings


def problems(settings: Settings) -> Iterator[Problem]:
    """Yield what is wrong with the bundle, with the files of jobs, and who may run a job that there
    is not."""
    if not settings.enabled:
        return
    yield from images(settings)[1]
    jobs, _, found = read(settings)
    yield from found
    # A job whose file has a problem is there all the same.
    if found:
        return
    for name, caller in settings.callers.items():
        for index, job in enumerate(() if caller.jobs == "all" else caller.jobs):
            if job not in jobs:
                guess = nearest(job, jobs)
                known = ", ".join(sorted(jobs)) or "none"
                cure = f"did you mean {guess!r}?" if guess else f"known: {known}"
                path = f"runner.callers.{name}.jobs.{index}"
                yield Problem(path, repr(job), "is no job", cure)
