"""The operation that runs a stack: its steps and what it tells, from given facts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from clup.facts.paths import Text
from clup.facts.stacks import Stacks, StacksState, StackState
from clup.operations.stacks import order_of, running
from clup.stacks.change import change
from clup.stacks.judged import judged
from tests.unit.operations.planning import evaluate
from tests.unit.stacks.examples import IMAGE, KEY, container, machine, spec, well

BOTH = (container("web"), container("migrate"))


def steps(folder: Path, state: StacksState, **other: Any) -> tuple[list[str], Any]:
    return evaluate(running, {Stacks: state, Text: "former\n"}, stack=spec(folder, **other))


def test_a_stack_that_runs_as_it_should_is_left_alone(tmp_path: Path) -> None:
    there = machine(well(judged(spec(tmp_path))), *BOTH)
    assert steps(tmp_path, there)[0] == []


def test_a_change_is_one_program_and_its_proof(tmp_path: Path) -> None:
    done, notes = steps(tmp_path, StacksState())
    assert len(done) == 2
    assert done[0].startswith("sh -c ")
    assert done[0].endswith("clup.machine.stack up")
    assert done[1] == "check"
    assert "it was not brought up yet" in notes.evidence
    assert "+name: web" in notes.diffs[0]


def test_the_order_says_all_that_the_machine_needs(tmp_path: Path) -> None:
    stack = judged(spec(tmp_path))
    state = replace(well(stack), secrets={KEY: "another"})
    needed = change(stack, machine(state, *BOTH))
    assert needed is not None
    order = order_of(stack, needed)
    assert order["expected"] == {"web": "service", "migrate": "job"}
    assert order["recreate"] == ("web",)
    assert (order["images"], order["secrets"], order["names"]) == ((IMAGE,), (KEY,), {"web": "web"})
    assert order["compose"] == "/srv/data/openclaw/clup/web/docker-compose.yml"
    assert json.loads(json.dumps(order))["files"][0]["placed"] == "link"


def test_what_does_not_render_is_refused(tmp_path: Path) -> None:
    done, notes = steps(tmp_path, StacksState(), values={})
    assert done == ["check"]
    assert "'name' is not defined" in notes.refusals[0]


BY_HAND = container("proxy", project="compose", name="web")


def test_who_is_in_the_way_is_a_refusal_in_the_plan(tmp_path: Path) -> None:
    for takeover, setting in ((None, False), (False, True)):
        done, notes = steps(tmp_path, machine(StackState(), BY_HAND), takeover=takeover)
        assert done == ["check"]
        assert "the container web is there and belongs to the project compose" in notes.refusals[0]
        assert ("set stacks.own.web.takeover to True" in notes.refusals[0]) == setting
    there = machine(well(judged(spec(tmp_path))), BY_HAND, container("migrate"))
    done, notes = steps(tmp_path, there, takeover=True)
    assert done == ["check"], "where the stack ran, who came in its way is not taken over"
    assert "takeover" not in notes.refusals[0]


def test_whose_place_is_taken_is_told_in_the_plan(tmp_path: Path) -> None:
    done, notes = steps(tmp_path, machine(StackState(), BY_HAND), takeover=True)
    assert (len(done), notes.refusals) == (2, [])
    assert any("is kept, stopped, as web.bak.<time>" in line for line in notes.evidence)


def test_what_comes_up_beside_another_publishes_nothing(tmp_path: Path) -> None:
    stack = judged(spec(tmp_path, values={"name": "web", "image": IMAGE, "port": 18888}))
    assert stack.services[0].ports == (18888,)
    portless = json.loads(stack.portless)
    assert (portless["name"], set(portless["services"])) == ("web", {"web", "migrate", "idle"})
    assert "ports" not in portless["services"]["web"]
    assert "127.0.0.1:18888:8080" in stack.files[0].content
