"""Jobs while the runner, the guard and Docker die, one after the other."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

from clup import lab
from services.audit.verify import seen_by_guard, verify
from tests.faults.cuts.campaign import CAMPAIGN, SEED
from tests.lab.command import on_machine
from tests.lab.runner_machine import STAND, asked, begun, ended, machine, wait_for_health

NAME = "deaths"
DEATHS = {
    "the runner was killed": "docker kill -s KILL dkr-claw-runner; docker start dkr-claw-runner",
    "the guard was killed": "docker kill -s KILL dkr-claw-socket-proxy;"
    " docker start dkr-claw-socket-proxy",
    "Docker was killed": "systemctl kill -s KILL docker.service; sleep 1; systemctl start docker",
}
EACH = 10 if CAMPAIGN else 1
JOBS = ("greets", "naps", "nothing", "naps")


def test_jobs_while_everything_dies(tally: Callable[[str, int], None]) -> None:
    """Each job that was accepted ends, none runs twice, nothing is left, and the chain is whole."""
    chance = random.Random(SEED)
    accepted: list[str] = []
    starts: set[tuple[str, str]] = set()
    with machine(NAME) as box:
        started = on_machine(box, "date +%s").strip()
        for death in chance.sample(list(DEATHS) * EACH, len(DEATHS) * EACH):
            accepted += begun(box, *JOBS)
            time.sleep(chance.uniform(0, 3))
            starts |= begun_by_docker(box, started)
            on_machine(box, DEATHS[death])
            wait_for_health(box)
        jobs = ended(box, *accepted)
        assert {job["state"] for job in jobs} <= {"succeeded", "interrupted"}, jobs
        reaped = "sleep 65" if any(job["state"] == "interrupted" for job in jobs) else "sleep 2"
        assert on_machine(box, f"{reaped}; docker ps -aq --filter label=clup.class=job") == ""
        assert on_machine(box, "docker volume ls -q") == ""
        starts |= begun_by_docker(box, started)
        assert max(Counter(name for _, name in starts).values()) == 1
        (listed,) = asked(box, ("GET", "/v1/jobs?limit=200", None))
        assert {job["id"] for job in listed["jobs"]} == set(accepted)
        seen = seen_by_guard(on_machine(box, f"cat {STAND}/ledger/heads").encode())
        chain = on_machine(box, f"cat {STAND}/audit/*.jsonl").encode()
        assert verify([("audit", chain)], seen).findings == ()
    for death in DEATHS:
        tally(f"{death} while jobs ran", EACH)


def begun_by_docker(box: lab.Lab, since: str) -> set[tuple[str, str]]:
    """Return when Docker started which job's container, in its own word: it forgets that when it
    is killed."""
    shown = on_machine(
        box,
        f"docker events --since {since} --until $(($(date +%s) + 1)) --filter event=start"
        " --filter label=clup.class=job --format '{{.TimeNano}} {{.Actor.Attributes.name}}'",
    )
    return {(nanoseconds, name) for nanoseconds, name in map(str.split, shown.splitlines())}
