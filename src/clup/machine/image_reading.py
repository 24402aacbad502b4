"""What a machine has of images that are asked about by id. Nothing is changed by it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from clup.machine.stack_reading import ask, is_active


def read(ids: Sequence[str]) -> dict[str, Any]:
    """Return which of these images are there; where one is not, also what others are made of."""
    answer: dict[str, Any] = {
        "docker": is_active(),
        "there": [],
        "layers": [],
        "architecture": "",
        "containerd": False,
    }
    if answer["docker"]:
        answer["there"] = [each for each in ids if ask(f"/images/{each}/json") is not None]
        if set(answer["there"]) != set(ids):
            every = [ask(f"/images/{each['Id']}/json") for each in ask("/images/json")]
            answer["layers"] = [each["RootFS"].get("Layers") or [] for each in every if each]
            answer["architecture"] = ask("/version")["Arch"]
            driver = ask("/info").get("DriverStatus") or []
            answer["containerd"] = ["driver-type", "io.containerd.snapshotter.v1"] in driver
    return answer


def main() -> None:
    """Answer about the ids that are given as arguments."""
    sys.stdout.write(json.dumps(read(sys.argv[1:])) + "\n")


if __name__ == "__main__":
    main()
