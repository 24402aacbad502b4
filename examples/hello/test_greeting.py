"""Whether the greeting names who is greeted."""

from greeting import greeting


def test_it_names_who_is_greeted() -> None:
    assert greeting("psy") == "hello from Python, psy"
