"""The words after a job's name."""

from __future__ import annotations

import pytest

from clup.jobs.words import WordError, parameters, split


@pytest.mark.parametrize(
    ("words", "inventory", "pairs"),
    [
        ([], None, []),
        (["lab.py"], "lab.py", []),
        (["a=1", "lab.py", "b=2"], "lab.py", ["a=1", "b=2"]),
        (["a=1", "b=x=y"], None, ["a=1", "b=x=y"]),
    ],
)
def test_words_are_told_apart(words: list[str], inventory: str | None, pairs: list[str]) -> None:
    assert split(words) == (inventory, pairs)


def test_a_second_inventory_is_none() -> None:
    with pytest.raises(WordError, match=r"'b' is no NAME=VALUE, and the inventory is 'a'"):
        split(["a", "b"])


def test_values_are_as_they_were_typed() -> None:
    assert parameters(["a=", "b=x=y", "c= z"]) == {"a": "", "b": "x=y", "c": " z"}


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        (["a"], "'a' is no parameter; write NAME=VALUE"),
        (["=1"], "'=1' is no parameter"),
        (["A=1"], "'A=1' is no parameter"),
        (["a=1", "a=2"], "a is given twice, '1' and '2'"),
    ],
)
def test_what_is_no_parameter(pairs: list[str], says: str) -> None:
    with pytest.raises(WordError, match=says):
        parameters(pairs)
