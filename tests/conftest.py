"""What all tests share: gevent's ways, time for examples, what is counted for docs/evidence.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

# It patches the standard library for gevent: before any test module opens a socket.
import pyinfra_cli  # noqa: F401
import pytest
from hypothesis import settings

from clup.evidence import FATES, KIND

# How long an example takes says more about the machine, which others use too, than about the code.
settings.register_profile("clup", deadline=None)
settings.load_profile("clup")


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[[str, int], None]:
    """Return what notes how many faults of a kind a test has survived; called at its end."""
    noted: list[tuple[str, object]] = request.node.user_properties
    return lambda kind, number: noted.append((f"{KIND}{kind}", number))


@pytest.fixture
def fates(request: pytest.FixtureRequest) -> Callable[[str, Mapping[str, int]], None]:
    """Return what notes what became of the jobs that something befell; called at a test's end."""
    noted: list[tuple[str, object]] = request.node.user_properties
    return lambda death, numbers: noted.append((f"{FATES}{death}", json.dumps(dict(numbers))))
