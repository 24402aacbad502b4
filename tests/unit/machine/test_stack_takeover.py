"""A stack that takes the place of containers by hand: in which order, what fails, what is cut."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from clup.machine.process import FailedError, RefusedError
from tests.unit.machine.stack_world import CutError, World, played

BY_HAND = "services: {}\n"
FINE = {"guard": "good", "web": "good"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return a machine on which a guard and a web server run that were brought up by hand."""
    world = played(tmp_path, monkeypatch)
    world.names = {"the-guard": "guard", "the-web": "web"}
    world.ports = {"web": [18888]}
    begin(world)
    return world


def begin(world: World) -> None:
    world.containers = {}
    world.by_hand("the-guard", policy="always")
    world.by_hand("the-web", 18888)
    world.by_hand("elsewhere", 80)
    world.live.parent.mkdir(exist_ok=True)
    world.live.unlink(missing_ok=True)
    world.live.write_text(BY_HAND)


def old(world: World) -> dict[str, tuple[Any, ...]]:
    """Return how the containers by hand are: name, state, restart policy, how often started."""
    keys = ("name", "state", "policy", "starts")
    there = world.containers.items()
    return {k: tuple(v[key] for key in keys) for k, v in there if v["project"] == "compose"}


UNTOUCHED = {
    "the-guard": ("the-guard", "running", "always", 1),
    "the-web": ("the-web", "running", "unless-stopped", 1),
    "elsewhere": ("elsewhere", "running", "unless-stopped", 1),
}


def test_it_takes_their_place_and_keeps_them(world: World) -> None:
    world.up(FINE, takeover=True)
    assert world.is_settled(FINE)
    assert world.containers["web"]["ports"] == [18888]
    now = old(world)
    assert now.pop("elsewhere") == UNTOUCHED["elsewhere"]
    for name, (kept, *rest) in now.items():
        assert re.fullmatch(rf"{name}\.bak\.\d{{8}}-\d{{6}}", kept)
        assert rest == ["exited", "no", 1]
    [kept] = world.live.parent.glob("*.bak.*")
    assert kept.read_text() == BY_HAND
    world.up({"guard": "good", "web": "better"}, takeover=True)
    assert world.is_settled({"guard": "good", "web": "better"})


def test_nothing_is_stopped_before_the_successor_was_seen_well(world: World) -> None:
    world.up(FINE, takeover=True)
    steps = [line.removeprefix("docker ") for line in world.commands]
    verbs = ["up" if " up " in line else line.split()[0] for line in steps]
    assert verbs == [
        "compose", "rename", "rename", "up", "stop", "up", "update", "stop", "update",
    ]  # fmt: skip
    assert steps[4] == "stop the-web"
    assert world.containers["guard"]["starts"] == 1, "who has no port of theirs is not disturbed"


def test_who_takes_no_place_is_refused_with_the_setting(world: World) -> None:
    before = dict(world.containers)
    with pytest.raises(RefusedError) as raised:
        world.up(FINE)
    line = str(raised.value)
    assert "the container the-guard is there and belongs to the project compose" in line
    assert "set web.takeover to True to have clup take over" in line
    assert (world.containers, world.live.read_text()) == (before, BY_HAND)


@pytest.mark.parametrize("how", ["bad", "slow"])
def test_a_successor_that_fails_leaves_all_as_it_was(world: World, how: str) -> None:
    with pytest.raises(FailedError) as raised:
        world.up({"guard": "good", "web": how}, takeover=True)
    assert "web said last: listening | password=*** refused" in str(raised.value)
    assert str(raised.value).endswith("have their names again, and run")
    assert (old(world), world.runs()) == (UNTOUCHED, {})
    assert not [line for line in world.commands if line.startswith("docker stop")]
    assert (world.live.read_text(), world.live.is_symlink()) == (BY_HAND, False)
    assert list((world.state / "web").iterdir()) == []
    assert not world.tree.exists()


def test_one_that_fails_at_its_ports_has_what_ran_before_started_again(world: World) -> None:
    with pytest.raises(FailedError, match="have their names again, and run"):
        world.up({"guard": "good", "web": "shy"}, takeover=True)
    again = {**UNTOUCHED, "the-web": ("the-web", "running", "unless-stopped", 2)}
    assert (old(world), world.runs()) == (again, {})
    assert world.containers["the-web"]["ports"] == [18888]
    world.up(FINE, takeover=True)
    assert world.is_settled(FINE)


def test_what_does_not_start_again_is_said(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwilling(*words: str) -> None:
        raise FailedError(f"`docker {' '.join(words)}` failed")

    monkeypatch.setattr("clup.machine.stack_takeover._docker", unwilling)
    with pytest.raises(FailedError, match=r"are not as they were: .* see `docker ps -a`"):
        world.up(FINE, takeover=True)
    assert (world.state / "web/pending").exists()


@pytest.mark.parametrize("version", [FINE, {"guard": "good", "web": "shy"}])
def test_cut_anywhere_it_is_made_good_by_the_next_run(
    world: World, version: dict[str, str]
) -> None:
    """After each step of it the machine is cut."""
    cuts = 0
    for number in range(100):
        begin(world)
        for path in (world.state / "web").glob("*"):
            path.unlink()
        world.left = number
        try:
            world.up(version, takeover=True)
        except CutError:
            cuts += 1
        except FailedError:
            break
        else:
            break
        finally:
            world.left = None
        world.up(FINE, takeover=True)
        assert world.is_settled(FINE)
        now = old(world)
        assert {now[name][1:3] for name in ("the-guard", "the-web")} == {("exited", "no")}
        assert [name for name in now if now[name][0] == name] == ["elsewhere"]
    assert cuts >= 15


@pytest.mark.parametrize(
    ("ports", "other", "words"),
    [
        ((), {"is_brief": True}, "was started with --rm, and would be gone"),
        ((18888,), {"name": "another"}, None),
        ((), {"project": "web", "service": "other"}, None),
    ],
)
def test_who_is_in_the_way(
    world: World, ports: tuple[int, ...], other: dict[str, Any], words: str | None
) -> None:
    world.containers = {}
    world.by_hand("the-web", *ports, **other)
    if words:
        with pytest.raises(RefusedError, match=words):
            world.up(FINE, takeover=True)
        assert world.containers["the-web"]["name"] == "the-web"
    else:
        world.up(FINE, takeover=True)
        assert world.containers["the-web"]["state"] == "exited"


def test_who_comes_in_the_way_of_one_that_ran_is_not_taken_over(world: World) -> None:
    world.up(FINE, takeover=True)
    del world.containers["web"]
    world.by_hand("again", name="the-web")
    with pytest.raises(RefusedError, match="rename each"):
        world.up(FINE, takeover=True)
    assert world.containers["again"]["state"] == "running"
