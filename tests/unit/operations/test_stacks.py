"""The operation that runs a stack: its steps and what it tells, from given facts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from clup.facts.paths import Text
from clup.facts.stacks import Stacks, StacksState
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
    assert (order["images"], order["secrets"], order["names"]) == ((IMAGE,), (KEY,), ["web"])
    assert order["compose"] == "/srv/data/openclaw/clup/web/docker-compose.yml"
    assert json.loads(json.dumps(order))["files"][0]["placed"] == "link"


def test_what_does_not_render_is_refused(tmp_path: Path) -> None:
    done, notes = steps(tmp_path, StacksState(), values={})
    assert done == ["check"]
    assert "'name' is not defined" in notes.refusals[0]
