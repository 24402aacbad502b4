"""What is to be done about a stack, from what the machine has of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clup.facts.stacks import StacksState, StackState
from clup.stacks.change import Change, change
from clup.stacks.judged import judged
from clup.stacks.overview import overview
from clup.stacks.spec import in_tree
from tests.unit.stacks.examples import IMAGE, KEY, PAGE, container, file, machine, spec, well

COMPOSE = "/srv/data/openclaw/web/docker-compose.yml"
BOTH = (container("web"), container("migrate"))


def found(folder: Path, state: dict[str, Any], *containers: Any, **other: Any) -> Change | None:
    stack = judged(spec(folder))
    there = replace(well(stack), **state)
    return change(stack, machine(there, *(containers or BOTH), **other))


def test_nothing_is_to_be_done_about_what_runs_as_it_should(tmp_path: Path) -> None:
    assert found(tmp_path, {}) is None
    # Health is not waited for where nothing changed: a start is under way.
    assert found(tmp_path, {}, container("web", health="starting"), container("migrate")) is None
    # What a person has run of the project besides, and other projects, do not count.
    for other in (container("web", one_off=True, state="dead"), container("web", project="x")):
        assert found(tmp_path, {}, *BOTH, other) is None


CASES: dict[str, tuple[str, str, bool, tuple[str, ...]]] = {
    # the part that was another when the stack was last well: its reason, up, started anew
    "its compose file": (f"file {COMPOSE}", "its file", True, ()),
    "a file in a folder that is mounted": (f"file {PAGE}", "its file", True, ("web",)),
    "a secret": (f"secret {KEY}", "the secret", True, ("web",)),
    "an image": (f"image {IMAGE}", "the image", True, ()),
}


@pytest.mark.parametrize(("part", "words", "up", "anew"), CASES.values(), ids=CASES)
def test_what_it_depends_on(
    tmp_path: Path, part: str, words: str, up: bool, anew: tuple[str, ...]
) -> None:
    stack = judged(spec(tmp_path))
    state = well(stack)
    assert state.record is not None
    parts = {**state.record["parts"], part: "another"}
    before = replace(state, record={**state.record, "parts": parts})
    needed = change(stack, machine(before, *BOTH))
    assert needed is not None
    assert (needed.up, needed.anew) == (up, anew)
    assert [line for line in needed.reasons if line.startswith(words)]
    gone = replace(
        state, record={**state.record, "parts": {**state.record["parts"], "file /x": "y"}}
    )
    needed = change(stack, machine(gone, *BOTH))
    assert needed == Change(("file /x left it",), True, ())


CONTAINERS: dict[str, tuple[tuple[dict[str, Any], ...], str, tuple[str, ...]]] = {
    "gone": ((container("migrate"),), "service web has no container", ("web",)),
    "stopped": (
        (container("web", state="exited", code=137), container("migrate")),
        "service web ended with 137",
        ("web",),
    ),
    "unhealthy": (
        (container("web", health="unhealthy"), container("migrate")),
        "service web is unhealthy",
        ("web",),
    ),
    "a job that failed": (
        (container("web"), container("migrate", code=1)),
        "service migrate ended with 1",
        ("migrate",),
    ),
    "brought up by hand": (
        (container("web", hash="other"), container("migrate")),
        "service web was brought up otherwise, by hand",
        ("web",),
    ),
}


@pytest.mark.parametrize(("there", "words", "anew"), CONTAINERS.values(), ids=CONTAINERS)
def test_containers_that_are_not_as_they_were_left(
    tmp_path: Path, there: tuple[dict[str, Any], ...], words: str, anew: tuple[str, ...]
) -> None:
    assert found(tmp_path, {}, *there) == Change((words,), True, anew)


def test_a_stack_that_never_was_and_one_that_was_cut(tmp_path: Path) -> None:
    never = found(tmp_path, {"record": None, "files": {}})
    assert never is not None
    assert (never.up, never.anew) == (True, ())
    assert never.reasons[0] == "it was not brought up yet"
    cut = found(tmp_path, {"pending": True})
    assert cut == Change(("a change of it was begun, and did not come to its end",), True, ())
    assert change(judged(spec(tmp_path)), StacksState()) is not None


@pytest.mark.parametrize(
    ("path", "there", "words", "up"),
    [
        (COMPOSE, None, "does not lead to", False),
        (COMPOSE, file("x"), "does not lead to", False),
        (COMPOSE, {"kind": "link", "target": "/etc/passwd"}, "does not lead to", False),
        (in_tree(COMPOSE), file("forged"), "is not as it was committed", False),
        (PAGE, file("forged"), "is not the copy of", True),
        (PAGE, {"kind": "link", "target": in_tree(PAGE)}, "is not the copy of", True),
    ],
)
def test_files_that_are_not_where_they_should_be(
    tmp_path: Path, path: str, there: Any, words: str, up: bool
) -> None:
    files = {**well(judged(spec(tmp_path))).files, path: there}
    needed = found(tmp_path, {"files": files})
    assert needed is not None
    assert (needed.up, needed.anew) == (up, ("web",) if up else ())
    assert [words in line for line in needed.reasons] == [True]


def test_what_is_not_committed(tmp_path: Path) -> None:
    tree = in_tree(PAGE)
    assert found(tmp_path, {}, uncommitted=(tree,)) == Change(
        (f"{tree} is not committed",), False, ()
    )
    assert found(tmp_path, {}, uncommitted=("/srv/data/openclaw/clup/other",)) is None


def test_the_overview_tells_whose_each_stack_is(tmp_path: Path) -> None:
    stack = judged(spec(tmp_path))
    by_hand = container("web", project="mine", state="exited")
    there = machine(well(stack), *BOTH, by_hand)
    rows = [str(row) for row in overview([stack], ["web", "old"], there)]
    assert rows == [
        "mine: somebody else's, 0 of 1 running, clup did not bring it up",
        "old: unmanaged, 0 of 0 running, `clup stack remove old` takes it down",
        "web: declared, 1 of 2 running, in order",
    ]
    [row] = overview([stack], [], machine(StackState()))
    assert row.state == "differs: it was not brought up yet"
