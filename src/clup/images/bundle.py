"""Builds what is not built yet of a bundle: images of services, and the file that holds them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from clup import bundles
from clup.bundles.manifest import Image
from clup.images import build
from clup.images.build import recipe, services
from clup.images.pack import pack
from clup.lab.errors import LabError
from clup.lab.say import Say

PINNED = re.compile(r"[a-z0-9][a-z0-9._/:-]{0,199}@sha256:[0-9a-f]{64}")
"""An image of a registry whose content nobody can change: never a tag alone."""


def make(names: Sequence[str], target: Path, pinned: str, say: Say) -> tuple[list[Image], bool]:
    """Given names of services, or none for all, and a registry's image by its digest if they are to
    be built over that, make the bundle `target` of their images.

    Return the images, and whether anything was made: a bundle of the same recipes stays as it is.
    Raise LabError, or ValueError for a Dockerfile that is not understood.
    """
    chosen = list(names) or services()
    recipes = [recipe(name, pinned) for name in chosen]
    wanted = {each.service: each.tag for each in recipes}
    if there := _there(target, wanted, say):
        return there, False
    for each in recipes:
        say(f"Image {each.service}: {each.tag}")
    build.make(recipes, say)
    return pack(wanted, target, say), True


def refuse_unpinned(text: str) -> None:
    """Raise LabError for a registry's image that is not named by its digest."""
    if not PINNED.fullmatch(text):
        reason = f"{text!r} is not NAME@sha256:DIGEST, and so may be another one tomorrow"
        cure = "`docker pull` it, and take what `docker image ls --digests` says"
        raise LabError(reason, "--base", cure)


def _there(target: Path, wanted: dict[str, str], say: Say) -> list[Image]:
    """Return the images of a bundle that is there already and holds these; none if it does not."""
    if not target.exists():
        return []
    try:
        found = bundles.open(target)
        if {each.name: each.tag for each in found.contents} != wanted:
            return []
        found.verify(found.places)
    except bundles.BundleError as error:
        say(f"{error}. It is built anew.")
        return []
    return list(found.contents)
