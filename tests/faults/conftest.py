"""What tests of faults count for docs/evidence.md, beyond that they passed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

import pytest

from clup.evidence import FATES, KIND


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
