"""Runs from bare that are killed at random times, one after the other, until one ends by itself."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from tests.faults.cuts import overlap, state, ways
from tests.faults.cuts.campaign import CAMPAIGN, SEED
from tests.lab.machines import machine

NAME = "kills"
SITE = "inventories/lab.py"
KILLS = 40 if CAMPAIGN else 4
LIMIT_S = 1500 if CAMPAIGN else 300
"""Seconds after which nothing more is killed."""


def test_from_bare_it_is_killed_at_random_times(tally: Callable[[str, int], None]) -> None:
    """Each run goes on where the one before it was killed, on as many machines as that takes."""
    chance = random.Random(SEED)
    kills = 0
    end = time.monotonic() + LIMIT_S
    while kills < KILLS and time.monotonic() < end:
        with machine(NAME) as box:
            before = state.bare(box)
            run = ways.Run(box, (SITE,), 2)
            while kills < KILLS and time.monotonic() < end and ways.is_killed(run, chance):
                kills += 1
            state.converges(box, SITE)
            state.verifies(box, SITE)
            assert state.kept(box, *state.BARE) == before
            commands = overlap.ran(box)
            assert overlap.runs(commands) > 1
            assert overlap.overlapping(commands) == []
    assert kills >= KILLS
    tally("killed at a random time, from bare, one run after the other", kills)
