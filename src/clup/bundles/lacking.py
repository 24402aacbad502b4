"""What a machine lacks of the images that it shall have: the layers to send, and how much it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clup.bundles.manifest import Image, Layer, chains

MB = 1_000_000


@dataclass(frozen=True)
class ImagesState:
    """A machine's images, as `clup.machine.image_reading` tells them.

    `there` are the ids, of those asked about, that it has. The rest is known only where one is
    missing: `layers` of each image on the machine, as Docker's ids from the base up;
    `architecture`, "" if Docker does not run.
    """

    docker: bool = False
    there: frozenset[str] = frozenset()
    layers: tuple[tuple[str, ...], ...] = ()
    architecture: str = ""
    has_containerd_store: bool = False


@dataclass(frozen=True)
class Lacking:
    """An image that is not on a machine, and those of its layers that are not there either."""

    image: Image
    layers: tuple[Layer, ...]

    @property
    def blobs(self) -> tuple[tuple[str, int], ...]:
        """What is sent of it: each blob's hash and size in bytes; its configuration comes first."""
        sent = {self.image.config: self.image.config_size}
        return tuple((sent | {each.blob: each.size for each in self.layers}).items())

    @property
    def size(self) -> int:
        """The bytes to send."""
        return sum(size for _, size in self.blobs)

    @property
    def unpacked(self) -> int:
        """The bytes that it will take on the machine."""
        return sum(each.unpacked for each in self.layers)

    def __str__(self) -> str:
        there = len(self.image.layers) - len(self.layers)
        known = f", {there} of its {len(self.image.layers)} layers are there" if there else ""
        return f"image {self.image.name}: {megabytes(self.size)} to send{known} ({self.image.tag})"


def lacking(wanted: Sequence[Image], machine: ImagesState) -> list[Lacking]:
    """Given images and what a machine has, return what it lacks, in the order of sending.

    A layer counts as there if the whole stack of layers up to it is: only then Docker reuses it.
    """
    there = {chain for diffs in machine.layers for chain in chains(diffs)}
    found = []
    for image in wanted:
        if image.id in machine.there:
            continue
        stacks = dict(zip(chains(each.diff for each in image.layers), image.layers, strict=True))
        layers = tuple(layer for chain, layer in stacks.items() if chain not in there)
        found.append(Lacking(image, layers))
        there |= set(stacks)
    return found


def objection(found: Iterable[Lacking], machine: ImagesState) -> tuple[str, str] | None:
    """Return why these images would be of no use on a machine, and the cure; None if they are."""
    if machine.has_containerd_store:
        return (
            "Docker keeps images in containerd's store there, where their ids are others",
            "set engine.daemon={'features': {'containerd-snapshotter': False}}",
        )
    for each in found:
        made = each.image.architecture
        if machine.architecture not in ("", made):
            return (
                f"image {each.image.name} is for {made}, the machine is {machine.architecture}",
                "build the bundle on a machine of its kind",
            )
    return None


def megabytes(size: int) -> str:
    """Return a number of bytes in words."""
    return f"{size / MB:.0f} MB" if size >= MB else "under 1 MB"
