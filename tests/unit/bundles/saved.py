"""What `docker save` writes, in both of its layouts, and bundles that are packed from it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import IO, Any

import pytest

from clup.images import pack

TAGS = {"guard": "clup-guard:trixie-1", "runner": "clup-runner:trixie-2"}
BASE, GUARD, RUNNER = (text.encode() * 4096 for text in ("base", "guard", "runner"))
LAYERS = {"guard": (BASE, GUARD), "runner": (BASE, RUNNER)}


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a content in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def config(name: str) -> bytes:
    """Return the configuration of an image, of which the hash is its id."""
    diffs = [f"sha256:{sha256(layer)}" for layer in LAYERS[name]]
    said = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diffs}}
    return json.dumps(said).encode()


def image_id(name: str) -> str:
    """Return the id of an image."""
    return f"sha256:{sha256(config(name))}"


def saved(file: IO[bytes], is_oci: bool) -> None:
    """Write what `docker save` writes: since Docker 25 blobs by their hash, before that a folder
    for each layer of each image, in which one that came before is a link."""
    said = []
    written: dict[bytes, str] = {}
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, layers in LAYERS.items():
            paths = []
            for number, layer in enumerate(layers):
                path = f"blobs/sha256/{sha256(layer)}" if is_oci else f"{name}{number}/layer.tar"
                if not is_oci and layer in written:
                    link = tarfile.TarInfo(path)
                    link.type, link.linkname = tarfile.SYMTYPE, f"../{written[layer]}"
                    archive.addfile(link)
                elif layer not in written:
                    _add(archive, path, layer)
                written.setdefault(layer, path)
                paths.append(path)
            digest = sha256(config(name))
            place = f"blobs/sha256/{digest}" if is_oci else f"{digest}.json"
            _add(archive, place, config(name))
            said.append({"Config": place, "RepoTags": [TAGS[name]], "Layers": paths})
        _add(archive, "manifest.json", json.dumps(said).encode())


def bundle(folder: Path, monkeypatch: pytest.MonkeyPatch, is_oci: bool = True) -> Path:
    """Return a bundle of both images, packed in a folder."""

    def docker(*_words: str, into: IO[bytes], **_options: Any) -> str:
        saved(into, is_oci)
        return ""

    monkeypatch.setattr(pack, "docker", docker)
    pack.pack(TAGS, folder / "bundle.tar", lambda _line: None)
    return folder / "bundle.tar"


def rewritten(path: Path, changes: dict[str, bytes | None]) -> None:
    """Write a bundle anew with other contents of its members, or without them."""
    with tarfile.open(path) as archive:
        members = {each.name: archive.extractfile(each).read() for each in archive}  # type: ignore[union-attr]
    with tarfile.open(path, "w") as archive:
        for name, content in (members | changes).items():
            if content is not None:
                _add(archive, name, content)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
