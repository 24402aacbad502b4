"""Services that are each weaker in one place, as programs: python3 -m MODULE NAME runs one."""

from __future__ import annotations

import sys
from collections.abc import Callable

WEAKENED: dict[str, Callable[[], None]] = {}


def weakened(patch: Callable[[], None]) -> Callable[[], None]:
    """Register a weakened service under its function's name."""
    WEAKENED[patch.__name__] = patch
    return patch


def put(place: object, name: str, value: object) -> None:
    """Put something else in the place of a part of the service."""
    setattr(place, name, value)


def main(service: Callable[[], object]) -> None:
    """Weaken the service as the first argument says, and run it."""
    WEAKENED[sys.argv[1]]()
    service()
