"""Makes a service's image: a base from distribution packages, and over it the service's files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath

from clup.images import wheels
from clup.images.dockerfile import Dockerfile, read, sources
from clup.lab import image
from clup.lab.commands import succeeds
from clup.lab.docker import docker, docker_argv
from clup.lab.lock import locked
from clup.lab.say import Say
from clup.lab.tree import Entry, packed

ROOT = Path(__file__).resolve().parents[3]
SUITE = "trixie"
BASE = "clup-base"
SECONDS = 600


def ensure(service: str, say: Say) -> str:
    """Given a service of `services/`, build its image unless Docker here has it, and return its
    name. Raise LabError, or ValueError for a Dockerfile that is not understood."""
    path = ROOT / "services" / service / "Dockerfile"
    dockerfile = read(path.read_text(encoding="utf-8"), str(path))
    files = sources(ROOT, dockerfile)
    with locked(say):
        base = _base(dockerfile.packages, say)
        name = f"clup-{service}:{SUITE}-{digest(base, dockerfile, files)}"
        if not succeeds(docker_argv("image", "inspect", name)):
            for place, lock in dockerfile.wheels.items():
                say(f"Unpacking the Python packages of {service}.")
                files |= wheels.unpacked(files[lock.lstrip("/")], place)
            _commit(base, dockerfile, files, name)
    return name


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


def _base(packages: tuple[str, ...], say: Say) -> str:
    """Return the name of an image with these packages and nothing else; several services may share
    it."""
    wanted = image.recipe(SUITE, tuple(sorted(packages)), (), ())
    name = image.tag(wanted, BASE)
    if not succeeds(docker_argv("image", "inspect", name)):
        say(f"Building {name} from distribution packages (about half a minute).")
        image.import_root(wanted, name)
    return name


def _commit(base: str, dockerfile: Dockerfile, files: dict[str, bytes], name: str) -> None:
    """Put the files over the base, and compile them there. No network has a part in it."""
    command = dockerfile.compiler or ("true",)
    box = docker("create", "--network", "none", base, *command).strip()
    try:
        docker("cp", "-", f"{box}:/", stdin=packed(entries(files)), seconds=SECONDS)
        docker("start", "--attach", box, seconds=SECONDS)
        changes = [word for change in dockerfile.changes for word in ("--change", change)]
        docker("commit", *changes, box, name, seconds=SECONDS)
    finally:
        docker("rm", "--force", box)
