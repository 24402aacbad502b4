"""Which images a machine has, in one command."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.bundles.lacking import ImagesState
from clup.operations.programs import reading


class Images(FactBase[ImagesState]):
    """Given the ids of images, "sha256:...", return which of them the machine has."""

    def command(self, ids: Sequence[str]) -> StringCommand:
        return reading("image_reading", *ids, shared=("clup/machine/stack_reading.py",))

    def process(self, output: list[str]) -> ImagesState:
        said = json.loads(output[-1])
        if said is None:
            return ImagesState()
        return ImagesState(
            docker=said["docker"],
            there=frozenset(said["there"]),
            layers=tuple(map(tuple, said["layers"])),
            architecture=said["architecture"],
            has_containerd_store=said["containerd"],
        )
