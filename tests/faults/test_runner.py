"""Jobs while the runner, the guard and Docker die, one after the other."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from tests.faults.cuts.campaign import CAMPAIGN, SEED
from tests.faults.cuts.jobs import begin_some, settled
from tests.lab.command import on_machine
from tests.lab.runner_machine import machine, wait_for_health

NAME = "deaths"
DEATHS = {
    "the runner was killed": "docker kill -s KILL dkr-claw-runner; docker start dkr-claw-runner",
    "the guard was killed": "docker kill -s KILL dkr-claw-socket-proxy;"
    " docker start dkr-claw-socket-proxy",
    # systemd counts the starts, and refuses the fourth within a minute.
    "Docker was killed": "systemctl kill -s KILL docker.service; sleep 1;"
    " systemctl reset-failed docker.service; systemctl start docker.service",
}
EACH = 10 if CAMPAIGN else 1


def test_jobs_while_everything_dies(
    tally: Callable[[str, int], None], fates: Callable[[str, Mapping[str, int]], None]
) -> None:
    """Each job that was accepted ends, none runs twice, nothing is left, and the chain is whole."""
    chance = random.Random(SEED)
    befallen: dict[str, list[str]] = {death: [] for death in DEATHS}
    accepted: list[str] = []
    with machine(NAME) as box:
        for death in chance.sample(list(DEATHS) * EACH, len(DEATHS) * EACH):
            some = begin_some(box)
            accepted += some
            befallen[death] += some
            time.sleep(chance.uniform(0, 3))
            on_machine(box, DEATHS[death])
            wait_for_health(box)
            seen = settled(box, accepted)
    for death, some in befallen.items():
        tally(f"{death} while jobs ran", EACH)
        fates(death, seen.fates(some))
