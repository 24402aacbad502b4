"""A bundle: one tar file with a manifest and the blobs of its images, each layer once."""

from __future__ import annotations

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clup.bundles import manifest
from clup.bundles.manifest import BLOBS, Image
from clup.settings import Problem

CURE = "build it anew with `clup bundle build`"

CHUNK = 1 << 20
"""Bytes that are read at a time."""

_BLOB = re.compile(rf"{BLOBS}[0-9a-f]{{64}}")
_SMALL = 16 << 20
"""No manifest and no configuration has as many bytes."""


class BundleError(ValueError):
    """A file that is no sound bundle, or lacks what is wanted. `problems` has what is wrong."""

    def __init__(self, problems: Sequence[Problem]):
        self.problems = list(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class Bundle:
    """A bundle whose manifest was read. `at` is the setting, or whatever else, that names it.

    `places` has the offset of each blob in the file, and its size, in bytes, by its hash.
    """

    path: Path
    at: str
    contents: tuple[Image, ...]
    places: Mapping[str, tuple[int, int]]

    @property
    def images(self) -> dict[str, str]:
        """The id of each image, "sha256:...", by its name."""
        return {each.name: each.id for each in self.contents}

    def chosen(self, names: Iterable[str] = ()) -> list[Image]:
        """Return the images of these names, or all. Raise BundleError for one that it lacks."""
        known = {each.name: each for each in self.contents}
        there = f"it has {', '.join(known)}; take one of these, or build it anew"
        missing = [name for name in names if name not in known]
        if missing:
            raise BundleError([self._problem(f"has no image {name}", there) for name in missing])
        return [known[name] for name in names] or list(self.contents)

    def verify(self, blobs: Iterable[str], told: Callable[[int], None] = lambda _: None) -> None:
        """Read these blobs, and raise BundleError if one is not what its hash says.

        `told` gets the number of bytes of each part that was read.
        """
        wrong = []
        for blob in blobs:
            digest = hashlib.sha256()
            for chunk in self.read(blob):
                digest.update(chunk)
                told(len(chunk))
            if digest.hexdigest() != blob:
                reason = f"is damaged: {BLOBS}{blob} has the hash {digest.hexdigest()}"
                wrong.append(self._problem(reason, CURE))
        if wrong:
            raise BundleError(wrong)

    def read(self, blob: str) -> Iterator[bytes]:
        """Yield the bytes of a blob."""
        offset, left = self.places[blob]
        with self.path.open("rb") as file:
            file.seek(offset)
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk

    def _problem(self, reason: str, cure: str) -> Problem:
        return Problem(self.at, repr(str(self.path)), reason, cure)


def read(path: str | Path, at: str = "bundle") -> Bundle:
    """Given a bundle's path, read and judge all of it but the layers, which `verify` is for.

    `at` names it in messages. Raise BundleError with all problems.
    """
    file = Path(path).expanduser()
    try:
        content, places = _members(file)
        small = {blob: each for blob, each in places.items() if each[1] < _SMALL}
        sizes = {BLOBS + blob: size for blob, (_, size) in places.items()}
        images, wrong = manifest.images(content, sizes, lambda name: _content(file, small, name))
    except FileNotFoundError:
        raise BundleError([Problem(at, repr(str(path)), "is not there", CURE)]) from None
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError) as error:
        images, places, wrong = [], {}, [f"is no bundle: {error}"]
    if wrong:
        raise BundleError([Problem(at, repr(str(path)), reason, CURE) for reason in wrong])
    return Bundle(file, at, tuple(images), places)


def _members(path: Path) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """Return the manifest of a bundle, and where its blobs are."""
    content = b""
    places = {}
    with tarfile.open(path, "r:") as archive:
        for number, member in enumerate(archive):
            if number == 0 and member.name == manifest.NAME and member.size < _SMALL:
                file = archive.extractfile(member)
                content = file.read() if file else b""
            elif number and member.isfile() and _BLOB.fullmatch(member.name):
                blob = member.name.removeprefix(BLOBS)
                places[blob] = (member.offset_data, member.size)
            else:
                raise ValueError(f"{member.name!r} has no place in one")
    return content, places


def _content(path: Path, places: Mapping[str, tuple[int, int]], name: str) -> bytes:
    offset, size = places[name.removeprefix(BLOBS)]
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)
