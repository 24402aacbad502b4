"""The images of guard, runner and jobs by name: those said by id, and those of a bundle."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from clup.settings import Problem
from roles.runner.settings import Settings

if TYPE_CHECKING:
    from services.jobs import Job

PROJECT = Path(__file__).resolve().parents[2]
"""The folder that a relative path in the settings is taken from."""

UNREAD = f"sha256:{'0' * 64}"
"""In the place of an id that a bundle does not tell, so that all else can be judged."""


def path(settings: Settings) -> str:
    """Return where the bundle of settings that name one is, on the operator's side."""
    return str(PROJECT / Path(settings.bundle).expanduser())


def images(settings: Settings) -> tuple[Mapping[str, str], list[Problem]]:
    """Given settings, return the id of each image by its name, and what is wrong with the bundle.

    What `images` says by id is over what the bundle holds. Of the bundle no layer is read.
    """
    if not settings.bundle:
        return settings.images, []
    held, problems = _held(settings)
    if problems:
        return defaultdict(lambda: UNREAD, settings.images), problems
    known = {**held, **settings.images}
    missing = [name for name in settings.services if name not in known]
    there = ", ".join(held)
    problems = [
        Problem(
            f"runner.images.{name}",
            repr(settings.bundle),
            f"is a bundle without it, which an enabled runner needs; it has {there}",
            "build it with `clup bundle build`, which takes all, or give the image's id",
        )
        for name in missing
    ]
    return {**dict.fromkeys(missing, UNREAD), **known}, problems


def to_load(settings: Settings, jobs: Iterable[Job]) -> list[str]:
    """Given settings and their jobs, return the images of the bundle that something runs, by name;
    [] where the settings name no bundle."""
    if not settings.bundle:
        return []
    known, _ = images(settings)
    wanted = {known[name] for name in settings.services} | {job.image for job in jobs}
    held, _ = _held(settings)
    return [name for name, number in held.items() if number in wanted]


def _held(settings: Settings) -> tuple[dict[str, str], list[Problem]]:
    # Only a site with a bundle pays for what reads it.
    from clup import bundles

    try:
        return bundles.open(path(settings), "runner.bundle").images, []
    except bundles.BundleError as error:
        return {}, error.problems
