"""Packs images of the Docker here into a bundle: each layer once, compressed, under its hash."""

from __future__ import annotations

import hashlib
import io
import json
import os
import posixpath
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from clup.bundles import manifest
from clup.bundles.manifest import BLOBS, Image, Layer
from clup.lab.docker import docker
from clup.lab.errors import LabError
from clup.lab.say import Say

CHUNK = 1 << 20
LEVEL = 1
"""Of gzip: a third of the size is gone within seconds; more would take minutes for little."""

SECONDS = 1800
_GZIP = 31
"""zlib's word for a gzip header, which it writes without a time: equal layers are equal blobs."""


def pack(tags: Mapping[str, str], target: Path, say: Say) -> list[Image]:
    """Given the tag of each image by its name, write the bundle of these images to `target`, in one
    move, and return them. Raise LabError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".clup-bundle-", dir=target.parent) as folder:
        saved = Path(folder) / "saved.tar"
        say(f"Saving {', '.join(tags)} from Docker.")
        with saved.open("wb") as file:
            docker("save", *tags.values(), into=file, seconds=SECONDS)
        with tarfile.open(saved, "r:") as archive:
            packer = _Packer(archive, Path(folder), say)
            images = [packer.image(name, tag) for name, tag in tags.items()]
        saved.unlink()
        draft = Path(folder) / "draft"
        _write(draft, manifest.written(images), packer.blobs)
        draft.replace(target)
    return images


@dataclass(frozen=True)
class _Packed:
    blob: str
    size: int
    unpacked: int


class _Packer:
    """Takes images out of what `docker save` wrote, in the layout of any of its versions."""

    def __init__(self, archive: tarfile.TarFile, folder: Path, say: Say):
        self.blobs: dict[str, Path] = {}
        self._archive = archive
        self._folder = folder
        self._say = say
        self._layers: dict[str, _Packed] = {}
        self._saved: list[dict[str, Any]] = json.load(self._open(manifest.NAME))

    def image(self, name: str, tag: str) -> Image:
        """Pack the layers of an image that are not packed yet, and return it."""
        [said] = [each for each in self._saved if tag in (each["RepoTags"] or [])]
        content = self._open(said["Config"]).read()
        config = json.loads(content)
        digest = hashlib.sha256(content).hexdigest()
        self._keep(digest, content)
        diffs: list[str] = config["rootfs"]["diff_ids"]
        layers = []
        for diff, path in zip(diffs, said["Layers"], strict=True):
            if diff not in self._layers:
                self._layers[diff] = self._pack(name, diff, path)
            packed = self._layers[diff]
            layers.append(Layer(packed.blob, packed.size, diff, packed.unpacked))
        return Image(
            name, tag, f"sha256:{digest}", config["architecture"], len(content), tuple(layers)
        )

    def _pack(self, name: str, diff: str, path: str) -> _Packed:
        source = self._open(path)
        draft = self._folder / "layer"
        plain, packed = hashlib.sha256(), hashlib.sha256()
        unpacked = 0
        with draft.open("wb") as file:
            squeeze = zlib.compressobj(LEVEL, wbits=_GZIP)
            while chunk := source.read(CHUNK):
                plain.update(chunk)
                unpacked += len(chunk)
                packed.update(squeezed := squeeze.compress(chunk))
                file.write(squeezed)
            packed.update(rest := squeeze.flush())
            file.write(rest)
        if f"sha256:{plain.hexdigest()}" != diff:
            raise LabError(
                f"image {name}: Docker saved another layer than {diff}",
                "`docker save`",
                "remove that image with `docker image rm`, then build again",
            )
        size = draft.stat().st_size
        blob = packed.hexdigest()
        self.blobs[blob] = draft.rename(self._folder / blob)
        self._say(f"Packed a layer of {name}: {unpacked / 1e6:.0f} MB to {size / 1e6:.0f} MB.")
        return _Packed(blob, size, unpacked)

    def _keep(self, blob: str, content: bytes) -> None:
        self.blobs[blob] = self._folder / blob
        self.blobs[blob].write_bytes(content)

    def _open(self, path: str) -> IO[bytes]:
        """Open a member; an older Docker saves a layer that is there already as a link to it."""
        member = self._archive.getmember(path)
        while member.issym():
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), member.linkname))
            member = self._archive.getmember(path)
        file = self._archive.extractfile(member)
        assert file is not None, f"{path} is a file in what `docker save` writes"
        return file


def _write(path: Path, content: bytes, blobs: Mapping[str, Path]) -> None:
    with path.open("wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, size, source in _members(content, blobs):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = size, 0o644
                archive.addfile(entry, source)
        file.flush()
        os.fsync(file.fileno())


def _members(content: bytes, blobs: Mapping[str, Path]) -> Iterator[tuple[str, int, IO[bytes]]]:
    yield manifest.NAME, len(content), io.BytesIO(content)
    for blob, path in blobs.items():
        with path.open("rb") as source:
            yield BLOBS + blob, path.stat().st_size, source
        path.unlink()
