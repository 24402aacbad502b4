"""Runs that are cut at every boundary, at random times and by lost connections; the next converges.

Between two cuts people broke things on the machine, so that there is something to do.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import pytest

from clup import lab
from tests.faults.cuts import overlap, state, ways
from tests.faults.cuts.campaign import CAMPAIGN, SEED
from tests.faults.cuts.ways import WAYS, Run
from tests.lab.breakages import accounts, base, engine, layout, storage
from tests.lab.command import on_machine
from tests.lab.machines import machine

NAME = "cuts"
SITE = "inventories/lab.py"
STEP = 1 if CAMPAIGN else 3
"""How many operations a run may do from bare before it is killed."""
EACH = 20 if CAMPAIGN else 1
"""How often each way is tried on a machine that is half converged."""
LEAST = 40 if CAMPAIGN else len(WAYS)
"""How many cuts in all ways together. Not every change has a command of every kind."""
LIMIT_S = 600
"""Seconds after which no more cut is begun."""
ROOTS = ("/srv/data", "/srv/cache", "/root", "/opt")

# One of each role, as two of one role may be about the same file. Storage comes last: what it
# breaks may be where another one writes.
BREAKAGES = [role.BREAKAGES for role in (base, engine, accounts, layout, storage)]

Tally = Callable[[str, int], None]


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine(NAME) as made:
        yield made


def test_from_bare_it_is_killed_after_every_operation(box: lab.Lab, tally: Tally) -> None:
    """Each run does what it can before it is killed, until there is nothing left to do.

    The disk of the data holds somebody's files under our label, the other one is blank.
    """
    before = state.bare(box)
    run = Run(box, (SITE,), 0)
    cuts = 0
    while ways.dies(run, "operation", STEP):
        cuts += 1
    state.converges(box, SITE)
    state.verifies(box, SITE)
    assert state.kept(box, *state.BARE) == before
    assert cuts >= (40 if CAMPAIGN else 15)
    commands = overlap.ran(box)
    assert overlap.runs(commands) >= cuts
    assert overlap.overlapping(commands) == []
    tally("killed after an operation, from bare, one run after the other", cuts)


def test_half_converged_it_is_cut_in_every_way(
    box: lab.Lab, tally: Tally, subtests: pytest.Subtests
) -> None:
    """A few things are broken on the machine; runs that mend them are cut, one to three in turn,
    and the next one converges."""
    chance = random.Random(SEED)
    before = state.planted(box, *ROOTS)
    done = dict.fromkeys(WAYS, 0)
    end = time.monotonic() + LIMIT_S
    while (left := [way for way in WAYS if done[way] < EACH]) and time.monotonic() < end:
        broken = [chance.choice(role) for role in chance.sample(BREAKAGES, chance.randint(3, 5))]
        in_turn = chance.choices(left, k=chance.randint(1, 3))
        names = "; ".join(each.name for each in broken)
        with subtests.test(f"seed {SEED}: {names}: {', '.join(in_turn)}"):
            # One script for all: after some of them, sshd is away for a moment.
            last = sorted(broken, key=lambda each: each in storage.BREAKAGES)
            on_machine(box, "\n".join(f"( {each.shell} )" for each in last))
            for way in in_turn:
                done[way] += WAYS[way](Run(box, (SITE,), 2), chance)
            state.converges(box, SITE)
            assert state.kept(box, *ROOTS) == before
    state.verifies(box, SITE)
    commands = overlap.ran(box)
    # Before its input has come, nothing of a command is written down.
    assert overlap.runs(commands) > sum(done.values()) / 2
    assert overlap.overlapping(commands) == []
    assert all(done.values()), done
    assert sum(done.values()) >= LEAST
    for way, cuts in done.items():
        tally(f"{way}, half converged", cuts)
