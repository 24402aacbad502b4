"""What tests of faults count for docs/evidence.md, beyond that they passed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from clup.evidence import KIND


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[[str, int], None]:
    """Return what notes how many faults of a kind a test has survived; called at its end."""
    noted: list[tuple[str, object]] = request.node.user_properties
    return lambda kind, number: noted.append((f"{KIND}{kind}", number))
