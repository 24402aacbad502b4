"""Makes a service's image: a base from distribution packages, and over it the service's files.

Or from an image of a registry, pinned by its digest, with Docker's own builder.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from clup.images import wheels
from clup.images.dockerfile import Dockerfile, context, read, sources
from clup.lab import dockerd, image, machine
from clup.lab.commands import succeeds
from clup.lab.docker import docker, docker_argv
from clup.lab.lock import SERVICES, locked
from clup.lab.say import Say
from clup.lab.tree import Entry, packed

ROOT = Path(__file__).resolve().parents[3]
SUITE = "trixie"
BASE = "clup-base"
SECONDS = 600
BUILDER_SECONDS = 1800
"""Docker's builder loads packages while it builds."""


@dataclass(frozen=True)
class Recipe:
    """All that decides what is in a service's image. `base` is an image's name."""

    service: str
    dockerfile: Dockerfile
    files: dict[str, bytes]
    base: str
    pinned: bool = False
    """Whether the base is an image of a registry, without the packages."""

    @property
    def tag(self) -> str:
        """The name of the image: equal recipes have one image."""
        made_of = digest(self.base, self.dockerfile, self.files)
        return f"clup-{self.service}:{'pinned' if self.pinned else SUITE}-{made_of}"


def services() -> list[str]:
    """Return the services that have an image."""
    return sorted(path.parent.name for path in (ROOT / "services").glob("*/Dockerfile"))


def recipe(service: str, pinned: str = "") -> Recipe:
    """Given a service of `services/`, and a registry's image by its digest if it is to be built
    over that, return the recipe. Raise LabError, or ValueError for a Dockerfile that is not
    understood."""
    path = ROOT / "services" / service / "Dockerfile"
    dockerfile = read(path.read_text(encoding="utf-8"), str(path))
    base = pinned or image.tag(_packages(dockerfile), BASE)
    return Recipe(service, dockerfile, sources(ROOT, dockerfile), base, bool(pinned))


def ensure(service: str, say: Say) -> str:
    """Given a service of `services/`, build its image from distribution packages unless Docker here
    has it, and return its name. Raise what `recipe` raises."""
    wanted = recipe(service)
    make([wanted], say)
    return wanted.tag


def make(recipes: Sequence[Recipe], say: Say) -> None:
    """Build the images of recipes that Docker here has not, as many at a time as there are
    processors. Raise LabError."""
    with locked(say):
        dockerd.ensure(say)
    with locked(say, SERVICES), ThreadPoolExecutor(os.cpu_count()) as pool:
        image.discard(_scratch())
        missing = [each for each in recipes if not _is_there(each.tag)]
        pinned = [each for each in missing if each.pinned]
        own = [each for each in missing if not each.pinned]
        bases = {each.base: each for each in own}
        list(pool.map(lambda each: _base(each, say), bases.values()))
        list(pool.map(lambda each: _commit(each, say), own))
        for each in pinned:
            _build(each, say)
        # An older base goes after the images that are made of it.
        for name in (*(each.tag for each in missing), *bases):
            image.discard_others(name)


def digest(base: str, dockerfile: Dockerfile, files: dict[str, bytes]) -> str:
    """Return what tells images apart: equal ones have the same base, files and settings."""
    parts = [base, *dockerfile.changes]
    parts += dockerfile.compiler
    parts += [f"{place} {lock} {wheels.PYTHON}" for place, lock in dockerfile.wheels.items()]
    parts += [f"{path} {hashlib.sha256(files[path]).hexdigest()}" for path in sorted(files)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def entries(files: dict[str, bytes]) -> list[Entry]:
    """Return files as root's, readable by all, with the folders on the way to them."""
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents} - {"."}
    return [
        *(Entry(folder, 0o755) for folder in sorted(folders)),
        *(Entry(path, 0o644, files[path]) for path in sorted(files)),
    ]


def builder_words(wanted: Recipe) -> list[str]:
    """Return the words of the `docker build` that makes an image over one of a registry."""
    words = ["build", "--build-arg", f"BASE={wanted.base}", "--tag", wanted.tag]
    return [*words, "--file", f"services/{wanted.service}/Dockerfile", "-"]


def _is_there(tag: str) -> bool:
    return succeeds(docker_argv("image", "inspect", tag))


def _packages(dockerfile: Dockerfile) -> image.Recipe:
    """Return the recipe of an image with a Dockerfile's packages and nothing else; several services
    may share it."""
    return image.recipe(SUITE, tuple(sorted(dockerfile.packages)), (), ())


def _scratch() -> Path:
    """Return the folder with those in which images are built."""
    return machine.FOLDER / SERVICES


def _base(wanted: Recipe, say: Say) -> None:
    if not _is_there(wanted.base):
        say(f"Building {wanted.base} from distribution packages (about half a minute).")
        folder = _scratch() / wanted.base.replace(":", "-")
        image.import_root(_packages(wanted.dockerfile), wanted.base, folder)


def _build(wanted: Recipe, say: Say) -> None:
    """Have Docker's builder do it, with the files that clup would copy, and no others."""
    say(f"Building {wanted.tag} over {wanted.base}.")
    path = f"services/{wanted.service}/Dockerfile"
    files = context(ROOT, wanted.dockerfile) | {path: (ROOT / path).read_bytes()}
    words = builder_words(wanted)
    cure = "see that this machine reaches the registry, or leave out --base"
    docker(*words, stdin=packed(entries(files)), seconds=BUILDER_SECONDS, cure=cure)


def _commit(wanted: Recipe, say: Say) -> None:
    """Put the files over the base, and compile them there. No network has a part in it."""
    command = wanted.dockerfile.compiler or ("true",)
    files = wanted.files | _wheels(wanted, say)
    box = docker("create", "--network", "none", wanted.base, *command).strip()
    try:
        docker("cp", "-", f"{box}:/", stdin=packed(entries(files)), seconds=SECONDS)
        docker("start", "--attach", box, seconds=SECONDS)
        changes = _words("--change", wanted.dockerfile.changes)
        docker("commit", *changes, box, wanted.tag, seconds=SECONDS)
    finally:
        docker("rm", "--force", box)


def _wheels(wanted: Recipe, say: Say) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for place, lock in wanted.dockerfile.wheels.items():
        say(f"Unpacking the Python packages of {wanted.service}.")
        found |= wheels.unpacked(wanted.files[lock.lstrip("/")], place)
    return found


def _words(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
