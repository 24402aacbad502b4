from __future__ import annotations

from typing import Any

import pytest

from clup.compose.value import is_said, is_true, items, number, pairs, size, strings

SIZES = {
    5: 5, "5": 5, "5b": 5, "2k": 2048, "2kb": 2048, "2K": 2048, "1m": 1 << 20, "1MiB": 1 << 20,
    "1.5g": 1.5 * (1 << 30), "1t": 1 << 40, "1 m": 1 << 20, "0": 0, "-1": -1, -1: -1,
    "": None, "m": None, "1x": None, "lots": None, None: None, True: None,
}  # fmt: skip


@pytest.mark.parametrize(("said", "expected"), SIZES.items())
def test_a_size(said: object, expected: float | None) -> None:
    assert size(said) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [(1, 1), ("0.5", 0.5), (True, None), ("x", None), (None, None), ([1], None), (10**400, None)],
)
def test_an_amount(said: object, expected: float | None) -> None:
    assert number(said) == expected


@pytest.mark.parametrize("value", [True, "true", "True"])
def test_what_is_true_for_certain(value: object) -> None:
    assert is_true(value)
    assert is_said(value)


@pytest.mark.parametrize("value", [None, False, 0, "", "false", "False", [], {}])
def test_what_is_not_said(value: object) -> None:
    assert not is_true(value)
    assert not is_said(value)


@pytest.mark.parametrize("value", ["yes", "on", 1, "0", ["x"], "${X}"])
def test_what_may_mean_anything(value: object) -> None:
    assert is_said(value)
    assert not is_true(value)


def test_items_of_a_list_and_of_what_should_be_one() -> None:
    assert [*items(["a", None], ("x",))] == [(("x", 0), "a"), (("x", 1), None)]
    assert [*items("a", ("x",))] == [(("x",), "a")]
    assert [*items({"a": 1}, ("x",))] == [(("x",), {"a": 1})]
    assert [*items(None, ("x",))] == [*items([], ("x",))] == [*items({}, ("x",))] == []


PAIRS: list[tuple[Any, Any]] = [
    ({"A": "1", "B": None, "C": True}, [("A", "1"), ("B", None), ("C", "true")]),
    (["A=1", "B", "C=", "D=a=b"], [("A", "1"), ("B", None), ("C", ""), ("D", "a=b")]),
    ("A=1", [("A", "1")]),
    (None, []),
]


@pytest.mark.parametrize(("said", "expected"), PAIRS)
def test_pairs_of_both_forms(said: object, expected: list[tuple[str, str | None]]) -> None:
    assert [(key, value) for _, key, value in pairs(said, ())] == expected


def test_every_text_has_its_path() -> None:
    found = [*strings({"a": ["x", {"b": "y"}], "c": 1}, ("r",))]
    assert [(each.path, each.value) for each in found] == [
        (("r", "a", 0), "x"),
        (("r", "a", 1, "b"), "y"),
    ]
