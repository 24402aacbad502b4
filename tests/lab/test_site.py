"""The whole site on a lab machine: from bare, again, through plain pyinfra, and after breakages.

The tests run in the order in which they stand: each begins where the one before it ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path

import pytest

from clup import lab
from tests.lab.breakages import Breakage, accounts, base, engine, layout, mended, stacks, storage
from tests.lab.command import ROOT, clup, on_machine
from tests.lab.fingerprint import fingerprint
from tests.lab.machines import machine

NAME = "site"
SITE = "inventories/lab.py"
ROLES = (storage, base, engine, accounts, layout, stacks)
APART = (
    ("storage: ", ("engine: ", "layout: ", "stacks: ")),
    ("storage: Make or adopt ", "storage: "),
    (f"base: {base.APT}", f"base: {base.PACKAGES}"),
    (f"engine: {engine.CONFIGURE}", f"engine: {engine.RUN}"),
)
"""Whose breakages are not tried together: what stands on filesystems, and they; a label, and what
finds a filesystem by that; apt's settings, and the package that heeds them; what has Docker
restarted, and what looks whether it runs."""


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine(NAME) as made:
        yield made


def test_from_bare_apply_changes_what_plan_listed(box: lab.Lab) -> None:
    planned = clup(NAME, "plan", SITE)
    assert planned.exit == 2, planned.stderr
    assert on_machine(box, "ls /srv") == "", "a plan must not touch the machine"
    applied = clup(NAME, "apply", SITE)
    assert applied.exit == 0, applied.stderr
    assert applied.operations("changed") == planned.operations("would change")
    assert applied.operations("unchanged") == planned.operations("unchanged")
    assert len(applied.operations("changed")) >= 40


def test_the_result_verifies(box: lab.Lab) -> None:
    verified = clup(NAME, "verify", SITE)
    assert verified.checks("failed") == []
    assert verified.exit == 0
    assert len(verified.checks("passed")) >= 60


def test_a_second_apply_changes_nothing(box: lab.Lab) -> None:
    before = fingerprint(box)
    applied = clup(NAME, "apply", SITE)
    assert applied.exit == 0
    assert applied.operations("changed") == set()
    planned = clup(NAME, "plan", SITE)
    assert planned.exit == 0
    assert planned.operations("would change") == set()
    after = fingerprint(box)
    assert sorted(set(after) ^ set(before)) == []
    assert after == before


def test_plain_pyinfra_agrees(box: lab.Lab) -> None:
    pyinfra = Path(sys.executable).with_name("pyinfra")
    done = subprocess.run(
        [pyinfra, "--json", "-y", SITE, "deploys/site.py"],
        cwd=ROOT,
        env=os.environ | {"CLUP_LAB": NAME},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    totals = json.loads(done.stdout)["results"]["totals"]
    assert (totals["success"], totals["error"]) == (0, 0), totals
    assert totals["no_change"] >= 50


def test_the_journal_says_who_applied_what(box: lab.Lab) -> None:
    lines = on_machine(box, "cat /var/lib/clup/journal.jsonl").splitlines()
    entries = [json.loads(line) for line in lines]
    assert [entry["result"] for entry in entries] == ["done", "done"]
    assert entries[0]["changed"] >= 40
    assert entries[1]["changed"] == 0
    assert len(entries[0]["revision"].removesuffix("+changes")) == 40


def test_every_breakage_is_named_shown_and_mended(box: lab.Lab, subtests: pytest.Subtests) -> None:
    rounds = in_rounds()
    assert sum(map(len, rounds)) == sum(len(role.BREAKAGES) for role in ROLES) >= 64
    for broken in rounds:
        names = "; ".join(f"{role}: {breakage.name}" for role, breakage in broken)
        with subtests.test(names):
            mended(broken, lambda word: clup(NAME, word, SITE), partial(on_machine, box))
    assert clup(NAME, "verify", SITE).checks("failed") == []
    assert clup(NAME, "plan", SITE).exit == 0


def test_what_is_kept_apart_is_what_breakages_change() -> None:
    every = [one for broken in in_rounds() for one in broken]
    assert all(breakage.changes and breakage.checks for _, breakage in every)
    changed = [name for one in every for name in operations(*one)]
    sides = [side for pair in APART for side in pair]
    assert all(any(name.startswith(side) for name in changed) for side in sides), sides


def in_rounds() -> list[list[tuple[str, Breakage]]]:
    """Return all breakages with their roles, those together of which each is mended by itself."""
    rounds: list[list[tuple[str, Breakage]]] = []
    for role in ROLES:
        name = role.__name__.rpartition(".")[2]
        for breakage in role.BREAKAGES:
            one = (name, breakage)
            fit = next(
                (broken for broken in rounds if not any(clash(one, it) for it in broken)), []
            )
            if not fit:
                rounds.append(fit)
            fit.append(one)
    return rounds


def clash(one: tuple[str, Breakage], other: tuple[str, Breakage]) -> bool:
    """Return whether two breakages are mended by one operation, or by two that stand in APART."""
    for mine, theirs in product(operations(*one), operations(*other)):
        pairs = ((mine, theirs), (theirs, mine))
        if mine == theirs or any(
            a.startswith(c) and b.startswith(d) for a, b in pairs for c, d in APART
        ):
            return True
    return False


def operations(role: str, breakage: Breakage) -> list[str]:
    """Return what mends a breakage, as plan calls it."""
    return [f"{role}: {change}" for change in breakage.changes]
