from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from services.pruning import DAY, DEEPEST, Sieve, walk

NOW = 1000.0 * DAY

CASES: dict[str, tuple[dict[str, tuple[int, float]], list[str]]] = {
    "nothing": ({}, []),
    "young and small": ({"a": (10, NOW)}, []),
    "old": ({"a": (1, NOW - 31 * DAY), "b": (1, NOW - 29 * DAY)}, ["a"]),
    "too much, the oldest first": (
        {"a": (60, NOW - 1), "b": (60, NOW - 3), "c": (30, NOW - 2)}, ["b"]
    ),
    "as little as does": ({"a": (60, NOW - 9), "b": (60, NOW - 9), "c": (9, NOW)}, ["a"]),
    "room for a while": ({"a": (4, NOW - 9), "b": (4, NOW - 6), "c": (93, NOW)}, ["a", "b"]),
    "one alone that is too much": ({"a": (101, NOW)}, ["a"]),
    "from the future": ({"a": (1, NOW + 9 * DAY)}, []),
    "too much, all from the future": ({"a": (60, NOW + 9), "b": (60, NOW + 5)}, ["b"]),
    "old does not count as much": ({"a": (99, NOW - 31 * DAY), "b": (94, NOW)}, ["a"]),
}  # fmt: skip


def gone(kept: dict[str, tuple[int, float]], days: int | None = 30, most: int = 100) -> list[str]:
    """Return what goes of bytes and times by name."""
    sieve = Sieve(NOW, days, most)
    for size, used in kept.values():
        sieve.weigh(used, size)
    sieve.settle()
    names = [name for name, (size, used) in kept.items() if sieve.goes(used, size)]
    assert sieve.any_goes == bool(names)
    assert sieve.size == sum(size for name, (size, _) in kept.items() if name not in names)
    return names


@pytest.mark.parametrize(("kept", "expected"), CASES.values(), ids=CASES)
def test_what_goes(kept: dict[str, tuple[int, float]], expected: list[str]) -> None:
    assert gone(kept) == expected


def test_age_does_not_count_where_it_is_not_said() -> None:
    kept = {"a": (60, NOW - 900 * DAY), "b": (60, 0.0), "c": (30, NOW)}
    assert gone(kept, None, 200) == []
    assert gone(kept, None, 100) == ["b"]


def test_much_takes_no_time_and_is_not_remembered() -> None:
    sieve = Sieve(NOW, None, 1000)
    began = time.process_time()
    for number in range(100_000):
        sieve.weigh(NOW - number * 1000.0, 1)
    sieve.settle()
    went = sum(sieve.goes(NOW - number * 1000.0, 1) for number in range(100_000))
    assert time.process_time() - began < 2
    assert went == 100_000 - 950
    assert len(sieve._sizes) < 20_000


def test_a_walk_leads_nowhere_else_and_not_without_end(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    deepest = root.joinpath(*"d" * (DEEPEST + 9))
    deepest.mkdir(parents=True)
    outside.mkdir()
    (outside / "canary").touch()
    (root / "up").symlink_to(outside)
    (root / "dangling").symlink_to("nowhere")
    names = [name for _, name, _ in walk(root)]
    assert len(names) == names.count("d") + 2
    assert {"up", "dangling"} < set(names)
    assert names.count("d") == DEEPEST + 1
    assert all(os.path.lexists(root / name) for name in ("up", "dangling"))
