"""The demo as it is typed: the four jobs from a real bundle, and who may have them run.

The tests run in the order in which they stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from clup import lab
from roles.runner.checks import KEYS
from roles.runner.files import REPOSITORIES, TOKENS
from roles.runner.settings import DATA
from services.guard.body import MB
from services.jobs import read_job
from tests.lab import agent
from tests.lab.command import Answer, clup, on_machine
from tests.lab.fingerprint import fingerprint
from tests.lab.machines import FURNISHED, inventory, machine

NAME = "four-jobs"
SITE = "inventories/lab.py"
FOUR = ["audit", "build", "test", "verify"]

SECRET = "AKIA" + "ABCDEFGHIJKLMNOP"
LEAKY = f"""
mkdir {REPOSITORIES}/leaky
cd {REPOSITORIES}/leaky
git init -q
echo 'key = "{SECRET}"' >settings.py
git add .
git -c user.name=psy -c user.email=psy@lab commit -qm 'Add settings'
echo 'import os' >settings.py
git -c user.name=psy -c user.email=psy@lab commit -qam 'Take the key away'
echo 'key = "{SECRET}"' >other.sh
"""

# What the source of the runner has typed to see that its guard answers; curl is not in our image.
PING = """docker exec dkr-claw-runner python3 -c "
import urllib.request
print(urllib.request.urlopen('http://claw-socket-proxy:2375/_ping').read().decode())" """


class Demo:
    """The machine that the demo made, what the demo said, and jobs that are run on it."""

    def __init__(self, box: lab.Lab, answer: Answer):
        self.box = box
        self.answer = answer

    @property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """The jobs that the demo ran, by name."""
        [host] = self.answer.document["hosts"].values()
        return {job["job"]: job for job in host["jobs"]}

    def there(self, script: str) -> str:
        return on_machine(self.box, script)

    def run(self, job: str, *words: str) -> tuple[int, str, str]:
        """Run a job as an operator does; return the exit code, the job's id and its output."""
        answer = clup(NAME, "job", "run", job, SITE, *words)
        [host] = answer.document["hosts"].values()
        return answer.exit, host["job"]["id"], answer.stderr

    def artifact(self, job_id: str, name: str) -> str:
        return self.there(f"cat {DATA}/reports/{job_id}/artifacts/{name}")


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    with machine(NAME, packages=FURNISHED) as box:
        answer = clup(NAME, "demo", "--name", NAME, "--yes")
        assert answer.exit == 0, answer.stderr
        yield Demo(box, answer)


def test_the_demo_runs_the_jobs_and_their_results_are_right(demo: Demo) -> None:
    assert {job["state"] for job in demo.jobs.values()} == {"succeeded"}
    assert sorted(demo.jobs) == sorted([*FOUR, "fill"])
    ids = {name: job["id"] for name, job in demo.jobs.items()}
    assert json.loads(demo.artifact(ids["audit"], "findings.json")) == []
    assert 'tests="1"' in demo.artifact(ids["test"], "junit.xml")
    program = f"{DATA}/reports/{ids['build']}/artifacts/hello"
    assert demo.there(f"install -m 0755 {program} /run/hello; /run/hello") == "hello from C\n"
    jar = f"{DATA}/reports/{ids['verify']}/artifacts/hello-1.0.jar"
    listed = (
        f"python3 -c 'import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).namelist())' {jar}"
    )
    assert "'Hello.class'" in demo.there(listed)


def test_the_audit_tells_what_a_job_has_used(demo: Demo) -> None:
    for name in ("fill", "verify"):
        audited = clup(NAME, "job", "audit", demo.jobs[name]["id"], SITE)
        [host] = audited.document["hosts"].values()
        result = host["lines"][-1]["result"]
        limits = read_job(demo.there(f"cat {DATA}/jobs/{name}.yaml"), name, name).limits
        memory, cpu = (result["usage"].get(key, 0) for key in ("memory_bytes", "cpu_seconds"))
        assert 0 < memory <= limits.memory_mb * MB, (name, result)
        assert 0 < cpu <= limits.cpus * (result["seconds"] + 1), (name, result)
    # Maven's JVM: less would be a look at the beginning alone.
    assert memory > 16 * MB, result
    assert cpu > 0.5, result


def test_a_second_apply_changes_nothing(demo: Demo) -> None:
    before = fingerprint(demo.box)
    again = clup(NAME, "apply", SITE)
    assert (again.exit, again.operations("changed")) == (0, set()), again.stderr
    assert fingerprint(demo.box) == before
    assert clup(NAME, "verify", SITE).checks("failed") == []


def test_the_checks_of_its_source(demo: Demo) -> None:
    said = json.loads(demo.there("curl -s http://127.0.0.1:18888/healthz"))
    assert said["ok"] is True
    assert said.keys() >= KEYS
    assert demo.there(PING) == "OK\n"


def test_an_audit_finds_what_is_and_what_was_in_a_repository(demo: Demo) -> None:
    demo.there(LEAKY)
    exit_code, job, output = demo.run("audit", "repository=leaky", "level=high")
    assert exit_code == 1
    found = json.loads(demo.artifact(job, "findings.json"))
    assert any(line.startswith("other.sh:1: an AWS key id") for line in found), found
    assert any(line.startswith("object ") and "an AWS key id" in line for line in found), found
    assert any("settings.py" in line and "unused" in line for line in found), found
    assert SECRET not in output
    assert SECRET not in json.dumps(found)


def test_a_job_that_fails_ends_with_its_programs_exit_code(demo: Demo) -> None:
    exit_code, _, output = demo.run("build", "repository=hello", "target=nothing")
    assert exit_code == 2
    assert "No rule to make target 'nothing'" in output


def test_a_project_that_wants_more_than_the_cache_has_is_told_so(demo: Demo) -> None:
    demo.there(
        f"cp -a {REPOSITORIES}/hello {REPOSITORIES}/more; cd {REPOSITORIES}/more;"
        " sed -i 's#<version>4.x<#<version>4.99<#' pom.xml"
    )
    exit_code, _, output = demo.run("verify", "repository=more")
    assert exit_code == 1
    assert "offline mode" in output


def test_agents_run_what_their_tokens_allow(demo: Demo) -> None:
    callers = {"agent": {"jobs": FOUR}, "auditor": {"jobs": ["audit"]}}
    said = lab.own_settings(demo.box)
    said["runner"]["callers"] = callers
    applied = clup(NAME, "apply", inventory(demo.box, said))
    assert applied.exit == 0, applied.stderr
    tokens = {name: demo.there(f"cat {TOKENS}/{name}").strip() for name in callers}
    with agent.tunnel(demo.box) as url:
        assert agent.tools(url, tokens["agent"])[:4] == FOUR
        assert agent.tools(url, tokens["auditor"])[0] == "audit"
        ran = {name: agent.ran(url, tokens["agent"], name, repository="hello") for name in FOUR}
        for name, (is_error, text) in ran.items():
            assert not is_error, (name, text)
            assert "ended as succeeded" in text
            assert "untrusted data" in text
        assert agent.ran(url, tokens["agent"], "fill")[0]
        refused, text = agent.ran(url, tokens["auditor"], "build", repository="hello")
        assert refused, text
        assert agent.status(url, "0" * 64) == 401
