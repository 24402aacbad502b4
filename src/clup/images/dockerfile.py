"""What a service's Dockerfile says, for a build without a registry and without a builder.

Only the few instructions that our own files need are read; any other is refused, so that an image
that is built here and one that `docker build` makes hold the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_INSTALL = re.compile(
    r"apt-get update && apt-get install -y --no-install-recommends ([a-z0-9.+ -]+)"
    r" && rm -rf /var/lib/apt/lists/\*"
)
# pip goes with the layer that it fills: our own base never has it.
_WHEELS = re.compile(
    r"apt-get update && apt-get install -y --no-install-recommends python3-pip"
    r" && python3 -m pip install --no-deps --require-hashes --only-binary :all: --no-compile"
    r" --no-cache-dir --target (/[a-z0-9/._-]+) -r (/[a-z0-9/._-]+)"
    r" && apt-get purge -y --auto-remove python3-pip && rm -rf /var/lib/apt/lists/\*"
)
_COMPILE = re.compile(r"python3 -m compileall -q --invalidation-mode unchecked-hash /[a-z0-9/._-]+")
_MAN = "mkdir -p /usr/share/man/man1"
"""What Java's packages need and a slim image of a registry lacks; our own base has it."""

_BASE = {"ARG": "BASE", "FROM": "${BASE}"}
_SETTINGS = ("ENV", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "WORKDIR")


@dataclass(frozen=True)
class Dockerfile:
    """The packages, what is copied (source in the repository to place in the image), settings as
    `docker commit --change` takes them, and locks of wheels."""

    packages: tuple[str, ...]
    copies: Mapping[str, str]
    changes: tuple[str, ...]
    wheels: Mapping[str, str] = field(default_factory=dict)
    """Folders for Python packages, each with the lock that they are in, both in the image."""
    compiler: tuple[str, ...] = ()
    """The command that compiles what is copied, as nothing can be written beside it later."""


def read(text: str, origin: str) -> Dockerfile:
    """Given the text of a Dockerfile and where it is from, return what it says. Raise ValueError
    for an instruction that has no meaning here."""
    packages: tuple[str, ...] = ()
    copies: dict[str, str] = {}
    changes: list[str] = []
    wheels: dict[str, str] = {}
    compiler: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        word, _, rest = line.partition(" ")
        if not line or line.startswith("#") or _BASE.get(word) == rest:
            continue
        installed = _INSTALL.fullmatch(rest) if word == "RUN" else None
        locked = _WHEELS.fullmatch(rest) if word == "RUN" else None
        if installed:
            packages += tuple(installed[1].split())
        elif locked:
            wheels[locked[1]] = locked[2]
        elif word == "RUN" and rest == _MAN:
            continue
        elif word == "RUN" and _COMPILE.fullmatch(rest):
            compiler = tuple(rest.split())
        elif word == "COPY" and len(rest.split()) == 2:
            source, target = rest.split()
            copies[source] = target
        elif word in _SETTINGS and not rest.endswith("\\"):
            changes.append(line)
        else:
            raise ValueError(
                f"{origin}, line {number}: {line[:60]!r} cannot be built from packages alone; "
                "write it as the other services do"
            )
    return Dockerfile(packages, copies, tuple(changes), wheels, compiler)


def sources(root: Path, dockerfile: Dockerfile) -> dict[str, bytes]:
    """Given the repository's root, return the files to copy: place in the image to content."""
    return {
        f"{target}/{below}".rstrip("/").removeprefix("/"): path.read_bytes()
        for source, target in dockerfile.copies.items()
        for below, path in _files(root / source)
    }


def context(root: Path, dockerfile: Dockerfile) -> dict[str, bytes]:
    """Return the same files as Docker's builder takes them: place in the repository to content."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for source in dockerfile.copies
        for _, path in _files(root / source)
    }


def _files(source: Path) -> Iterator[tuple[str, Path]]:
    """Yield the file that is copied, or each of a folder, with its place below that."""
    if source.is_file():
        yield "", source
        return
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield str(path.relative_to(source)), path
