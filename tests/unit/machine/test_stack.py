"""The program that brings up a stack, with a Docker that is played: what fails, and what is cut."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clup.machine import stack as program
from clup.machine import stack_remove
from clup.machine.process import FailedError, RefusedError
from tests.unit.machine.stack_world import CutError, World, played


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return played(tmp_path, monkeypatch)


def test_it_comes_up_and_is_written_down(world: World) -> None:
    world.up({"web": "good", "migrate": "job"})
    assert world.is_settled({"web": "good", "migrate": "job"})
    world.up({"web": "good", "migrate": "job"}, recreate=["web"])
    assert world.containers["web"]["starts"] == 2
    world.up({"web": "better"})
    assert world.is_settled({"web": "better"}), "a service that left the file goes"


@pytest.mark.parametrize(
    ("how", "words"),
    [("bad", "service web is unhealthy"), ("slow", "not well after 0 s: service web is not")],
)
def test_a_version_that_fails_gives_way_to_the_one_that_ran(
    world: World, how: str, words: str
) -> None:
    world.up({"web": "good"})
    with pytest.raises(FailedError) as raised:
        world.up({"web": how, "more": "good"})
    line = str(raised.value)
    assert words in line
    assert "web said last: listening | password=*** refused" in line
    assert line.endswith("the version that ran before is back and well")
    assert world.is_settled({"web": "good"})


def test_what_was_ill_before_has_time_to_get_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a runner while its guard was gone: it says so until it is asked again."""
    world.up({"guard": "good", "runner": "good"})

    def is_ill() -> None:
        del world.containers["guard"]
        world.containers["runner"]["health"] = "unhealthy"

    is_ill()
    with pytest.raises(FailedError, match="not well after 0 s: service runner is unhealthy"):
        world.up({"guard": "good", "runner": "good"})

    def gets_well(line: str) -> None:
        if "waiting: service runner is unhealthy" in line:
            world.containers["runner"]["health"] = "healthy"

    is_ill()
    monkeypatch.setattr(program, "say", gets_well)
    world.up({"guard": "good", "runner": "good"})
    assert world.is_settled({"guard": "good", "runner": "good"})
    assert world.containers["runner"]["starts"] == 1


def test_what_falls_ill_while_the_rest_comes_up_has_time_to_get_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker had asked the runner too seldom to know, when its guard was brought up again."""
    world.up({"guard": "good", "runner": "good"})
    del world.containers["guard"]
    told = []

    def falls_ill(line: str) -> None:
        told.append(line)
        is_ill = "bringing it up" in line
        world.containers["runner"]["health"] = "unhealthy" if is_ill else "healthy"

    monkeypatch.setattr(program, "say", falls_ill)
    world.up({"guard": "good", "runner": "good"})
    assert any("waiting: service runner is unhealthy" in line for line in told)
    assert world.containers["runner"]["starts"] == 1


def test_a_first_version_that_fails_stays_to_be_looked_at(world: World) -> None:
    with pytest.raises(FailedError, match="it never ran before"):
        world.up({"web": "bad"})
    assert world.runs() == {"web": "bad"}
    world.up({"web": "good"})
    assert world.is_settled({"web": "good"})


def test_a_stack_that_was_brought_up_by_hand_is_put_back_too(world: World) -> None:
    by_hand = {"web": "by hand", "once": "job"}
    world.live.parent.mkdir()
    world.live.write_text(json.dumps(by_hand))
    for service, how in by_hand.items():
        world.start(service, how, [])
    with pytest.raises(FailedError, match="back and well"):
        world.up({"web": "bad"})
    assert world.runs() == by_hand
    assert f"--project-directory {world.live.parent}" in world.commands[-1]
    world.up({"web": "good"})
    # What clup did not bring up stays, though the file no longer has it.
    assert world.runs() == {"web": "good", "once": "job"}
    [kept] = world.live.parent.glob("*.bak.*")
    assert json.loads(kept.read_text()) == by_hand


@pytest.mark.parametrize("former", [None, {"web": "good", "old": "good"}])
def test_cut_anywhere_it_is_made_good_by_the_next_run(
    world: World, former: dict[str, str] | None
) -> None:
    """After each step of a change the machine is cut; some of the versions fail, too."""
    cuts = 0
    for version in ({"web": "better", "more": "good"}, {"web": "bad"}):
        for number in range(100):
            if former:
                world.up(former)
            before = world.seen()
            world.left = number
            try:
                world.up(version)
                world.left = None
                break
            except CutError:
                cuts += 1
                world.left = None
                owed = (world.state / "web/pending").exists()
                assert owed or world.seen() in (before, world.seen_of(version))
            except FailedError:
                world.left = None
                break
            world.up({"web": "better", "more": "good"})
            assert world.is_settled({"web": "better", "more": "good"})
    assert cuts >= 15


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"secrets": ["/nonexistent/key"]}, "the secret /nonexistent/key is not there"),
        ({"tree": "/nonexistent"}, "is no repository"),
        ({"names": {"web-web-1": "web"}, "name": "other"}, "belongs to the project web"),
    ],
)
def test_what_is_refused_changes_nothing(world: World, change: dict[str, Any], words: str) -> None:
    world.up({"web": "good"})
    with pytest.raises(RefusedError, match=words):
        world.up({"web": "better"}, **change)
    assert world.is_settled({"web": "good"})


def test_a_stack_that_is_removed_leaves_its_files_in_the_history(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.up({"web": "good"})
    told: list[list[str]] = []

    def commit(_tree: str, paths: list[str], *_: str) -> str:
        told.append(paths)
        return ""

    monkeypatch.setattr(stack_remove, "commit", commit)
    stack_remove.remove(world.order({}))
    assert world.commands[-1].endswith("down")
    assert told == [[str(world.tree)]]
    assert not world.live.is_symlink()
    assert not world.tree.exists()
    assert (world.folder / "tree/.git").is_dir()
    assert not (world.state / "web").exists()
