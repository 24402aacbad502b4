"""The job runner behind the real guard, before the real Docker of a lab machine.

The tests run in the order in which they stand.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from clup import lab
from services.audit.verify import seen_by_guard, verify
from tests.lab.command import on_machine
from tests.lab.runner_machine import (
    STAND,
    asked,
    begun,
    ended,
    is_running,
    machine,
    until_running,
    wait_for_health,
)


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine("runner") as box:
        yield box


def test_health_as_in_the_source(box: lab.Lab) -> None:
    said = json.loads(on_machine(box, "curl -sS http://127.0.0.1:18888/healthz"))
    assert said["ok"], said
    assert said.keys() >= {
        "ok", "service", "time_utc", "docker_host", "data_dir", "cache_dir",
    }  # fmt: skip
    assert said["docker_host"] == "tcp://claw-socket-proxy:2375"
    ping = (
        "import urllib.request as r; print(r.urlopen('http://claw-socket-proxy:2375/_ping').read())"
    )
    assert "OK" in on_machine(box, f'docker exec dkr-claw-runner python3 -c "{ping}"')


def test_jobs_and_their_ends(box: lab.Lab) -> None:
    (greets,) = ended(box, *begun(box, "greets", level="high"))
    (log,) = asked(box, ("GET", f"/v1/jobs/{greets['id']}/logs", None))
    assert (greets["state"], sorted(log.splitlines())) == (
        "succeeded",
        ["level high", "oh", "source"],
    )
    fails, hangs, leaves = ended(box, *begun(box, "fails", "hangs", "leaves"))
    assert (fails["state"], fails["result"]["exit_code"]) == ("failed", 3)
    assert hangs["state"] == "timed_out"
    assert leaves["state"] == "succeeded"
    assert leaves["result"]["artifacts"] == 1
    assert sorted(leaves["result"]["artifacts_refused"]) == [
        "artifacts/link: is no regular file but a symbolic link",
        "artifacts/pipe: is no regular file but a pipe",
    ]
    kept = on_machine(box, f"cd {STAND}/reports/{leaves['id']}; find artifacts -type f")
    assert kept == "artifacts/a.txt\n"


def test_memory_is_told_whatever_the_exit_code(box: lab.Lab) -> None:
    (eats,) = ended(box, *begun(box, "eats"))
    assert (eats["state"], eats["result"]["oom_killed"]) == ("failed", True)


def test_a_flood_is_kept_to_its_limit(box: lab.Lab) -> None:
    (floods,) = ended(box, *begun(box, "floods"))
    assert floods["state"] == "succeeded"
    assert (floods["result"]["log_bytes"], floods["result"]["log_truncated"]) == (100 << 20, True)


def test_a_flood_of_short_lines_is_kept_from_its_beginning(box: lab.Lab) -> None:
    (enumerates,) = ended(box, *begun(box, "enumerates"))
    assert (enumerates["state"], enumerates["result"]["log_truncated"]) == ("succeeded", True)
    log = f"{STAND}/reports/{enumerates['id']}/log"
    on_machine(box, f"seq 200000 | head -c {1 << 20} | cmp - {log}")


def test_a_token_does_not_allow_more(box: lab.Lab) -> None:
    run = ("POST", "/v1/jobs/run", {"job": "fails"})
    refused, listed = asked(box, run, ("GET", "/v1/jobs", None), caller="gateway")
    assert refused["error"]["code"] == "forbidden_job"
    assert listed["jobs"] == []


def test_a_runner_that_is_killed(box: lab.Lab) -> None:
    (lasts,) = begun(box, "lasts")
    until_running(box, lasts)
    on_machine(box, "docker kill -s KILL dkr-claw-runner; docker start dkr-claw-runner")
    wait_for_health(box)
    (job,) = ended(box, lasts)
    assert (job["state"], is_running(box, lasts)) == ("interrupted", False)
    (log,) = asked(box, ("GET", f"/v1/jobs/{lasts}/logs", None))
    assert log == "begun\n"


def test_a_guard_that_is_killed(box: lab.Lab) -> None:
    (lasts,) = begun(box, "lasts")
    until_running(box, lasts)
    on_machine(box, "docker kill -s KILL dkr-claw-socket-proxy; docker start dkr-claw-socket-proxy")
    wait_for_health(box)
    assert is_running(box, lasts)
    asked(box, ("POST", f"/v1/jobs/{lasts}/cancel", None))
    (job,) = ended(box, lasts)
    assert job["state"] == "cancelled"


def test_docker_that_is_restarted(box: lab.Lab) -> None:
    (lasts,) = begun(box, "lasts")
    until_running(box, lasts)
    on_machine(box, "systemctl restart docker")
    wait_for_health(box)
    if is_running(box, lasts):
        asked(box, ("POST", f"/v1/jobs/{lasts}/cancel", None))
    (job,) = ended(box, lasts)
    assert job["state"] in ("cancelled", "interrupted")
    assert ended(box, *begun(box, "nothing"))[0]["state"] == "succeeded"


def test_nothing_is_left_and_the_chain_is_whole(box: lab.Lab) -> None:
    time.sleep(1)
    assert on_machine(box, "docker ps -aq --filter label=clup.class=job") == ""
    assert on_machine(box, "docker volume ls -q") == ""
    ledger = on_machine(box, f"cat {STAND}/ledger/heads")
    chain = on_machine(box, f"cat {STAND}/audit/*.jsonl")
    tokens = on_machine(box, f"cat {STAND}/tokens/operator {STAND}/key/key").split()
    seen = seen_by_guard(ledger.encode())
    assert len(seen) >= 9
    assert verify([("audit", chain.encode())], seen).findings == ()
    lines = chain.splitlines(keepends=True)
    cut = "".join(lines[: len(lines) // 2]).encode()
    assert {found.kind for found in verify([("audit", cut)], seen).findings} == {"cut"}
    said = chain + on_machine(box, "docker logs dkr-claw-runner 2>&1")
    assert not [token for token in tokens if token in said]
