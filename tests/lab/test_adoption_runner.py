"""A job runner that was set up by hand, by the instructions of its source, is taken over.

The tests run in the order in which they stand: each begins where the one before it ended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clup import lab
from tests.lab.command import Answer, clup, on_machine
from tests.lab.machines import FURNISHED, inventory, machine
from tests.lab.runner_machine import loaded

NAME = "adoption-runner"
DATA = "/srv/data/openclaw/runner"
CACHE = "/srv/cache/openclaw/runner"
RUN = "runner: Run guard and runner"
OLD = ("dkr-claw-runner", "dkr-claw-socket-proxy")

# Each file by its inode, with when it was written: what is kept is the same file.
FILES = f"find {DATA} {CACHE} -type f -printf '%i %T@ %s %p\\n' | sort -k 4"
ALL = "docker ps -aq | xargs docker inspect -f"
RUNNING = f"{ALL} '{{{{.Name}}}} {{{{.State.StartedAt}}}} {{{{.State.Pid}}}}' | sort"
HEALTH = "/root/image/bin/busybox wget -T 5 -q -O - http://127.0.0.1:18888/healthz"
PING = "docker exec dkr-claw-runner /bin/busybox wget -q -O - http://claw-socket-proxy:2375/_ping"

JOB = """job: greets
description: says hello
image: {{ images["hello"] | quoted }}
command: [/bin/busybox, echo, hello]
trust: untrusted
"""

# Looks ten times a second whether anybody answers at the port; says for how long nobody did.
WATCH = f"""
rm -f /root/stop /root/gaps
(while [ ! -e /root/stop ]; do
  {HEALTH} >/dev/null 2>&1 && echo up || echo down
  sleep 0.1
done >/root/gaps) >/dev/null 2>&1 &
"""
GAPS = "touch /root/stop; sleep 0.3; grep -c down /root/gaps || true"


def found(answer: Answer) -> dict[str, Any]:
    """Return what a document has of the machine."""
    host: dict[str, Any] = answer.document["hosts"][NAME]
    return host


class Site:
    """The machine, and commands on it with the settings that describe it."""

    def __init__(self, box: lab.Lab, images: dict[str, str], jobs: Path):
        self.box = box
        self.said = self._described()
        self.runner: dict[str, Any] = {"enabled": True, "images": images, "jobs": str(jobs)}

    def _described(self) -> dict[str, Any]:
        """Return what `adopt` says, without what would leave the runner's folders to psy."""
        first = clup(NAME, "adopt", inventory(self.box, {"_sudo": True}, "by_hand"))
        assert first.exit == 0, first.stderr
        assert any("There is a runner by hand" in note for note in found(first)["notes"])
        said: dict[str, Any] = found(first)["settings"]
        folders = said["layout"]["folders"]
        kept = {k: v for k, v in folders.items() if "/openclaw/runner" not in k}
        said["layout"]["folders"] = kept
        return said

    def run(self, *words: str, **runner: Any) -> Answer:
        """Run a command with settings of the runner besides."""
        said = {"_sudo": True, **self.said, "runner": self.runner | runner}
        return clup(NAME, *words, inventory(self.box, said, "by_hand"))

    def there(self, script: str) -> str:
        return on_machine(self.box, script)

    def running(self) -> list[str]:
        """Return each container with when it was started and its process, by its name."""
        return self.there(RUNNING).splitlines()

    def files(self) -> set[str]:
        """Return the files of the runner's folders."""
        return set(self.there(FILES).splitlines())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with machine(NAME, packages=FURNISHED) as box:
        for name in ("by_hand.sh", "by_hand_runner.sh"):
            on_machine(box, Path(__file__).with_name(name).read_text())
        names = loaded(box, "guard", "runner") | {"hello": "openclaw:local"}
        ids = {
            name: on_machine(box, f"docker image inspect -f '{{{{.Id}}}}' {image}").strip()
            for name, image in names.items()
        }
        jobs = tmp_path_factory.mktemp("jobs")
        (jobs / "greets.yaml.j2").write_text(JOB)
        yield Site(box, ids, jobs)


@pytest.fixture(scope="module")
def before(site: Site) -> tuple[list[str], set[str]]:
    assert json.loads(site.there(HEALTH))["service"] == "openclaw-runner-mvp"
    assert site.there(PING) == "OK\n"
    return site.running(), site.files()


def test_it_is_refused_in_the_plan_unless_a_setting_says_so(
    site: Site, before: tuple[list[str], set[str]]
) -> None:
    planned, applied = site.run("plan"), site.run("apply")
    assert (planned.exit, applied.exit) == (1, 1)
    assert planned.operations("refused") == {RUN}
    for name in OLD:
        line = f"the container {name} is there and belongs to the project compose; "
        assert line in json.dumps(planned.document)
    assert "set runner.takeover to True to have clup take over" in json.dumps(planned.document)
    assert (site.running(), site.files()) == before


def test_the_plan_says_whose_place_is_taken_and_what_changes_hands(site: Site) -> None:
    planned = site.run("plan", takeover=True)
    assert (planned.exit, planned.operations("refused")) == (2, set())
    assert {RUN, f"layout: Make {DATA}/jobs", f"layout: Make {DATA}/compose"} <= (
        planned.operations("would change")
    )
    said = json.dumps(planned.document)
    for name in OLD:
        assert f"is kept, stopped, as {name}.bak.<time>" in said


def test_a_successor_that_fails_never_stops_what_runs(
    site: Site, before: tuple[list[str], set[str]]
) -> None:
    image = site.there("docker image inspect -f '{{.Id}}' openclaw-runner:local").strip()
    broken = site.runner["images"] | {"runner": image}
    applied = site.run("apply", takeover=True, images=broken)
    assert applied.exit == 1
    assert "service dkr-claw-runner is unhealthy" in applied.stderr
    assert "the containers that ran before have their names again, and run" in applied.stderr
    assert site.running() == before[0], "neither stopped nor started anew"
    assert json.loads(site.there(HEALTH))["service"] == "openclaw-runner-mvp"
    assert site.there(f"test ! -L {DATA}/compose/docker-compose.yml; {PING}") == "OK\n"
    assert site.there("docker network ls -q -f name=runner_") == ""


def test_it_is_taken_over(site: Site, before: tuple[list[str], set[str]]) -> None:
    site.runner["takeover"] = True
    site.there(WATCH)
    applied = site.run("apply")
    assert applied.exit == 0, applied.stderr
    gaps = int(site.there(GAPS))
    assert gaps <= 300, "30 s at most: ten looks a second"
    assert json.loads(site.there(HEALTH))["service"] != "openclaw-runner-mvp"
    kept = site.there(
        f"{ALL} '{{{{.Name}}}} {{{{.State.Status}}}} {{{{.HostConfig.RestartPolicy.Name}}}}'"
    )
    for name in OLD:
        assert re.search(rf"^/{name}\.bak\.[0-9-]+ exited no$", kept, re.MULTILINE), kept
    others = [line for line in before[0] if "claw-runner" not in line and "proxy" not in line]
    assert set(others) <= set(site.running())


def test_every_file_is_kept_or_backed_up(site: Site, before: tuple[list[str], set[str]]) -> None:
    now = site.files()
    gone = {line.split(" ", 3)[3] for line in before[1] - now}
    moved = {
        f"{DATA}/{name}"
        for name in ("audit/audit.jsonl", "compose/docker-compose.yml", "jobs/deploy.yaml")
    }
    assert gone == moved
    backups = {re.sub(r"\.bak\.[0-9-]+$", "", line) for line in now - before[1]}
    assert before[1] - now <= backups, "the same files, under another name"
    owners = site.there(f"stat -c '%U %n' {DATA}/jobs {DATA}/compose {DATA}/reports {CACHE}/gradle")
    assert [line.split()[0] for line in owners.splitlines()] == [
        "root", "root", "claw-runner", "claw-trusted",
    ]  # fmt: skip
    assert site.there(f"stat -c %U {DATA}/reports/1/log {DATA}/runner-go/main.go") == "psy\npsy\n"


def test_all_checks_hold_and_a_second_apply_changes_nothing(site: Site) -> None:
    verified = site.run("verify")
    assert (verified.exit, verified.checks("failed")) == (0, [])
    running = site.running()
    applied = site.run("apply")
    assert (applied.exit, applied.operations("changed")) == (0, set())
    assert site.running() == running
    assert site.run("job", "run", "greets").exit == 0
    assert site.run("audit", "verify").exit == 0


def test_the_way_back(site: Site) -> None:
    removed = site.run("stack", "remove", "runner", "--yes", enabled=False)
    assert removed.exit == 0, removed.stderr
    site.there(
        f"""
        for name in {" ".join(OLD)}; do
          kept=$(docker ps -a --format '{{{{.Names}}}}' | grep "^$name.bak.")
          docker rename "$kept" "$name"
          docker update --restart unless-stopped "$name" >/dev/null
        done
        docker start {" ".join(reversed(OLD))} >/dev/null
        cd {DATA}/compose
        mv docker-compose.yml.bak.* docker-compose.yml
        docker compose up -d 2>&1
        """
    )
    assert json.loads(site.there(HEALTH))["service"] == "openclaw-runner-mvp"
    assert site.there(PING) == "OK\n"
