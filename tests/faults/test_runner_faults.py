"""A runner whose disks are full, and jobs that are loud, stubborn or malformed.

The tests run in the order in which they stand; after each, all is as before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clup import lab
from tests.faults.cuts.jobs import begin_some, look, settled
from tests.lab.command import on_machine
from tests.lab.runner_machine import (
    STAND,
    asked,
    begun,
    ended,
    healthz,
    machine,
    until_running,
    wait_for_health,
)

NAME = "runner-faults"
DATA, CACHE = "/srv/small-data", f"{STAND}/cache"
MB = 2**20
# What the runner keeps lies on 24 MB of a real ext4, as much of its cache as jobs fill on 4 MB.
SMALL = f"""
mkfs.ext4 -q -m 0 /dev/disk/by-id/virtio-LABDATA 24M
mkdir -p {DATA} {CACHE}
mount /dev/disk/by-id/virtio-LABDATA {DATA}
for name in state audit reports ledger; do
  mkdir -p {DATA}/$name {STAND}/$name
  mount --bind {DATA}/$name {STAND}/$name
done
mount -t tmpfs -o size=4m cache {CACHE}
"""
LOGS = """
cd "$(docker info -f '{{.DockerRootDir}}')/containers"
du -ck */*.log* 2>/dev/null | tail -n 1 | cut -f 1
"""
FILL = "dd if=/dev/zero of={}/fill bs=4k 2>/dev/null || true; sync -f {}"


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine(NAME, SMALL) as box:
        yield box


@pytest.fixture(scope="module")
def accepted() -> list[str]:
    """The jobs that were accepted."""
    return []


def until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Return when a condition holds, within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.5)


def filled(box: lab.Lab, folder: str) -> None:
    """Fill the filesystem of a folder to its last block."""
    on_machine(box, FILL.format(folder, folder))


def test_the_disk_of_the_state_is_full(box: lab.Lab, accepted: list[str]) -> None:
    """Nothing is accepted that would be forgotten, and what ran ends when there is room again."""
    (dozes,) = begun(box, "dozes")
    until_running(box, dozes)
    filled(box, DATA)
    run: tuple[str, str, Any] = ("POST", "/v1/jobs/run", {"job": "greets"})
    answers = asked(box, *[run] * 20)
    accepted += [dozes, *(said["id"] for said in answers if "id" in said)]
    assert answers[-1]["error"]["code"] == "storage", answers[-1]
    until(lambda: not healthz(box)["ok"], "a runner that can write nothing says that it is well")
    on_machine(box, f"rm {DATA}/fill")
    wait_for_health(box)
    accepted += begin_some(box)
    ended(box, *accepted)
    settled(box, accepted)


def test_the_disk_of_the_cache_is_full(box: lab.Lab, accepted: list[str]) -> None:
    """A job is not undone by artifacts for which there is no room, and says so."""
    filled(box, CACHE)
    (leaves,) = ended(box, *begun(box, "leaves"))
    accepted.append(leaves["id"])
    assert leaves["state"] == "succeeded"
    assert "No space left" in str(leaves["result"]["artifacts_refused"])
    on_machine(box, f"rm {CACHE}/fill")
    (leaves,) = ended(box, *begun(box, "leaves"))
    accepted.append(leaves["id"])
    assert leaves["result"]["artifacts"] == 1


def test_a_log_of_1_gb_is_kept_to_its_limit(box: lab.Lab, accepted: list[str]) -> None:
    """Its reader is told, and neither the runner nor Docker keeps more."""
    (pours,) = begun(box, "pours")
    accepted.append(pours)
    most, running = 0, True
    while running:
        most = max(most, int(on_machine(box, LOGS)) * 1024)
        (job,) = asked(box, ("GET", f"/v1/jobs/{pours}?wait=1", None))
        running = not job["finished"]
    assert job["state"] == "succeeded", job
    assert (job["result"]["log_bytes"], job["result"]["log_truncated"]) == (MB, True)
    assert most < 20 * MB
    (events,) = asked(box, ("GET", f"/v1/jobs/{pours}/logs?follow=1", None))
    assert f'event: truncated\ndata: {{"bytes": {MB}}}' in events[-500:]
    assert int(on_machine(box, f"du -s {STAND}/reports/{pours}").split()[0]) * 1024 < 2 * MB


def test_a_job_that_ignores_sigterm_is_killed(box: lab.Lab, accepted: list[str]) -> None:
    """Once its caller has asked for its end, 10 s later."""
    (ignores,) = begun(box, "ignores")
    accepted.append(ignores)
    until_running(box, ignores)
    asked(box, ("POST", f"/v1/jobs/{ignores}/cancel", None))
    (job,) = ended(box, ignores)
    assert (job["state"], job["result"]["exit_code"]) == ("cancelled", 137)
    assert 8 < job["result"]["seconds"] < 40


def test_job_files_that_are_malformed(box: lab.Lab, accepted: list[str]) -> None:
    """The jobs that there were go on, and the runner says which file is wrong, and why."""
    keep = f"cd {STAND}/jobs; cp greets.yaml /root/greets.yaml"
    on_machine(box, f"{keep}; echo 'job: [greets' >greets.yaml; echo 'job: new' >new.yaml")

    def problems(name: str) -> list[str]:
        return [line for line in healthz(box).get("problems", []) if f"{name}.yaml" in line]

    until(lambda: bool(problems("greets") and problems("new")), "no problem is told")
    assert healthz(box)["ok"]
    (greets,) = ended(box, *begun(box, "greets"))
    accepted.append(greets["id"])
    assert greets["state"] == "succeeded"
    on_machine(box, f"cp /root/greets.yaml {STAND}/jobs/; rm {STAND}/jobs/new.yaml")
    until(lambda: "problems" not in healthz(box), "a problem that was mended is still told")


def test_nothing_is_left_and_the_chain_is_whole(box: lab.Lab, accepted: list[str]) -> None:
    """Of all jobs that were accepted none is absent."""
    until(lambda: not look(box).remains, "something is left, or the chain is not whole")
    assert set(accepted) <= look(box).states.keys()
