"""What the manifest of a bundle says: its images, each with an id and the hashes of its layers.

It is the `manifest.json` that `docker save` writes and `docker load` reads, with a few keys more,
so that Docker loads a bundle also without clup.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

NAME = "manifest.json"
BLOBS = "blobs/sha256/"

_Blob = Annotated[str, StringConstraints(pattern=r"^blobs/sha256/[0-9a-f]{64}$")]
_Tag = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._/-]{0,99}:[\w.-]{1,99}$")]
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]


@dataclass(frozen=True)
class Layer:
    """A layer: `blob` is the SHA-256 of what the bundle holds, gzip, of `size` bytes.

    `diff` is Docker's id of it, "sha256:...", of its `unpacked` bytes.
    """

    blob: str
    size: int
    diff: str
    unpacked: int


@dataclass(frozen=True)
class Image:
    """An image: its name among the images of a bundle, its tag, its id ("sha256:...").

    `architecture` is Docker's word, such as "amd64"; `config` the blob that the id is the hash of,
    of `config_size` bytes.
    """

    name: str
    tag: str
    id: str
    architecture: str
    config_size: int
    layers: tuple[Layer, ...]

    @property
    def config(self) -> str:
        return self.id.removeprefix("sha256:")


class _Entry(BaseModel):
    """An image as the manifest says it: Docker's three keys, and two of ours."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    config: _Blob = Field(alias="Config")
    tags: tuple[_Tag] = Field(alias="RepoTags")
    layers: tuple[_Blob, ...] = Field(alias="Layers", min_length=1)
    name: _Name = Field(alias="Name")
    unpacked: tuple[Annotated[int, Field(gt=0)], ...] = Field(alias="Unpacked")


_ENTRIES = TypeAdapter(Annotated[tuple[_Entry, ...], Field(min_length=1)])


def written(images: Sequence[Image]) -> bytes:
    """Return the manifest of these images: equal images have equal bytes."""
    said = [
        {
            "Config": BLOBS + each.config,
            "RepoTags": [each.tag],
            "Layers": [BLOBS + layer.blob for layer in each.layers],
            "Name": each.name,
            "Unpacked": [layer.unpacked for layer in each.layers],
        }
        for each in images
    ]
    return json.dumps(said, indent=1).encode() + b"\n"


def images(
    manifest: bytes, sizes: Mapping[str, int], content: Callable[[str], bytes]
) -> tuple[list[Image], list[str]]:
    """Given a manifest, the sizes of the blobs beside it and what returns a small one, return its
    images, and what is wrong, a reason each."""
    try:
        entries = _ENTRIES.validate_json(manifest)
    except ValidationError as error:
        return [], [_reason(each) for each in error.errors(include_url=False)]
    named = Counter(each.name for each in entries)
    wrong = [f"has {count} images {name}" for name, count in named.items() if count > 1]
    wanted = {path for each in entries for path in (each.config, *each.layers)}
    wrong += [f"lacks {path}, which its manifest names" for path in sorted(wanted - set(sizes))]
    wrong += [f"holds {path}, which no image of it has" for path in sorted(set(sizes) - wanted)]
    if wrong:
        return [], wrong
    found = []
    for entry in entries:
        reason, config = _config(entry, content(entry.config))
        if reason:
            wrong.append(f"image {entry.name}: {reason}")
        else:
            found.append(_image(entry, config, sizes))
    return found, wrong


def chains(diffs: Iterable[str]) -> Iterator[str]:
    """Given the ids of an image's layers from the base up, yield Docker's id of each stack of
    layers: one is reused where the whole stack below it is the same.

    Source: the OCI image specification, "Layer ChainID".
    """
    below = ""
    for diff in diffs:
        below = f"sha256:{_sha256(f'{below} {diff}'.encode())}" if below else diff
        yield below


def _config(entry: _Entry, content: bytes) -> tuple[str, dict[str, Any]]:
    """Return why an image's configuration is not what the manifest says, and what it is."""
    if _sha256(content) != entry.config.removeprefix(BLOBS):
        return "its configuration has not the hash that is its id", {}
    config = json.loads(content)
    layers = len(entry.layers)
    if not layers == len(config["rootfs"]["diff_ids"]) == len(entry.unpacked):
        return f"its configuration does not have the {layers} layers of the manifest", {}
    return "", config


def _image(entry: _Entry, config: Mapping[str, Any], sizes: Mapping[str, int]) -> Image:
    layers = zip(entry.layers, config["rootfs"]["diff_ids"], entry.unpacked, strict=True)
    digest = entry.config.removeprefix(BLOBS)
    return Image(
        entry.name,
        entry.tags[0],
        f"sha256:{digest}",
        config["architecture"],
        sizes[entry.config],
        tuple(
            Layer(path.removeprefix(BLOBS), sizes[path], diff, unpacked)
            for path, diff, unpacked in layers
        ),
    )


def _reason(error: Any) -> str:
    where = ".".join(map(str, error["loc"])) or "the whole"
    return f"has a manifest that is none: {where}: {error['msg']}"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
