"""How a check that failed says what it found."""

from __future__ import annotations

import pytest

from clup.checks import difference


@pytest.mark.parametrize(
    ("wanted", "found", "said"),
    [
        (True, False, "it is not so"),
        (False, True, "it is not so"),
        ("up", None, "found nothing, expected 'up'"),
        ([], ["psy", "bob"], "found 'psy', 'bob', expected nothing"),
        (2000, 1000, "found 1000, expected 2000"),
        ((1, 1), (0, 1), "found 0, 1, expected 1, 1"),
    ],
)
def test_a_difference_is_said_in_words(wanted: object, found: object, said: str) -> None:
    assert difference(wanted, found) == said
