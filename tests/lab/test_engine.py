"""The engine on a machine that somebody set up by hand, and on one where something is broken.

The tests run in the order in which they stand: each begins where the one before it ended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from clup import lab
from tests.lab.command import on_machine
from tests.lab.engine_machine import HELLO, machine, run

STATE = "docker exec bot /bin/busybox cat /data/state"
STARTED = "docker inspect -f '{{.State.StartedAt}} {{.State.Pid}}' bot"

# Docker as its package starts it, on a root of its own choice and without live restore.
BY_HAND = """
mkdir /etc/docker
echo '{"data-root": "/srv/cache/old", "debug": true}' >/etc/docker/daemon.json
apt-get -qq update
DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends \\
  docker.io docker-cli >/dev/null 2>&1
"""


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine("engine", packages=()) as box:
        yield box


def test_what_lies_under_another_root_is_not_left_behind(box: lab.Lab) -> None:
    on_machine(box, BY_HAND)
    on_machine(box, HELLO)
    started = on_machine(box, STARTED)
    planned = run(box, "plan", {})
    applied = run(box, "apply", {})
    assert (planned.exit, applied.exit) == (1, 1)
    refusals = json.dumps(planned.document)
    assert "/srv/cache/old holds containers (1), images (1), volumes (1)" in refusals
    assert "/var/lib/containerd holds running containers (1)" in refusals
    assert on_machine(box, STARTED) == started
    # What the message says to type, Docker's part and containerd's.
    on_machine(box, "docker stop -t 1 bot")
    for command in dict.fromkeys(re.findall(r"`([^`]+)`", applied.stderr)):
        on_machine(box, command)
    applied = run(box, "apply", {})
    assert applied.exit == 0, applied.stderr
    assert on_machine(box, f"docker start bot; {STATE}") == "bot\nkept\n"
    assert '"debug": true' in on_machine(box, "cat /etc/docker/daemon.json")
    assert run(box, "verify", {}).checks("failed") == []


def test_a_machine_is_taken_over_without_stopping_a_container(box: lab.Lab) -> None:
    on_machine(
        box,
        """
        docker stop -t 1 bot
        echo '{"data-root": "/srv/cache/docker"}' >/etc/docker/daemon.json
        rm /etc/containerd/config.toml /etc/systemd/system/containerd.service.d/clup.conf
        systemctl daemon-reload
        systemctl restart containerd docker
        docker start bot
        """,
    )
    started = on_machine(box, STARTED)
    assert on_machine(box, "docker info -f '{{.LiveRestoreEnabled}}'") == "false\n"
    stay = {"containerd_root": "/var/lib/containerd"}
    applied = run(box, "apply", stay)
    assert applied.exit == 0, applied.stderr
    assert applied.operations("changed") == {"engine: Configure Docker and containerd"}
    assert run(box, "verify", stay).checks("failed") == []
    assert on_machine(box, STARTED) == started
    on_machine(box, "docker rm -f bot; rm /etc/containerd/config.toml")
    assert run(box, "apply", {}).exit == 0


def test_a_daemon_that_does_not_start_says_why(box: lab.Lab) -> None:
    on_machine(
        box,
        """
        echo DOCKER_OPTS=--live-restore >/etc/default/docker
        sed -i s/10m/11m/ /etc/docker/daemon.json
        """,
    )
    applied = run(box, "apply", {})
    assert applied.exit == 1
    assert "docker.service did not come back" in applied.stderr
    assert "specified both as a flag and in the configuration file" in applied.stderr
    applied = run(box, "apply", {})
    assert applied.exit == 1
    assert "docker.service did not start: unable to configure the Docker" in applied.stderr
    on_machine(box, "echo >/etc/default/docker")
    assert run(box, "apply", {}).exit == 0
    assert run(box, "plan", {}).exit == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"debug": true,}', "/etc/docker/daemon.json: is no JSON"),
        ('{"no-such": 1}', "daemon.json would not do: the following directives don't match"),
    ],
)
def test_a_daemon_json_that_would_not_do_stays(box: lab.Lab, text: str, message: str) -> None:
    on_machine(box, f"cp -a /etc/docker/daemon.json /root/; echo '{text}' >/etc/docker/daemon.json")
    applied = run(box, "apply", {})
    assert applied.exit == 1
    assert message in applied.stderr
    assert on_machine(box, "cat /etc/docker/daemon.json") == f"{text}\n"
    on_machine(box, "docker info >/dev/null; cp -a /root/daemon.json /etc/docker/")
    # What was owed when the first run was refused is done; then nothing is left.
    assert run(box, "apply", {}).exit == 0
    assert run(box, "plan", {}).exit == 0


def test_no_daemon_starts_without_its_disk(box: lab.Lab) -> None:
    on_machine(
        box,
        """
        systemctl stop docker.socket docker containerd
        umount /srv/cache/docker || true
        umount /srv/cache
        ! systemctl start containerd
        ! systemctl start docker
        test -z "$(ls /srv/cache)"
        """,
    )
    applied = run(box, "apply", {})
    assert applied.exit == 1
    assert "/srv/cache is not a mount point" in applied.stderr
    assert on_machine(box, "ls /srv/cache; systemctl is-active docker || true") == "inactive\n"
    on_machine(box, "mount LABEL=CLAW_CACHE /srv/cache")
    assert run(box, "apply", {}).exit == 0


def test_the_baseline_is_checked(box: lab.Lab) -> None:
    expect = {"os": "ubuntu 24.04", "engine": "29.", "compose": "v5.", "data_root": "/srv/docker"}
    failed = run(box, "verify", {"expect": expect}).checks("failed")
    assert len(failed) == 4
    assert all("baseline" in line for line in failed)
    good = {
        "os": "debian 13",
        "engine": "26.1",
        "compose": "v2.26",
        "data_root": "/srv/cache/docker",
    }
    assert run(box, "verify", {"expect": good}).checks("failed") == []


def test_a_swarm_is_refused_as_docker_would_not_start_with_live_restore(box: lab.Lab) -> None:
    on_machine(
        box,
        """
        sed -i 's/"live-restore": true/"live-restore": false/' /etc/docker/daemon.json
        systemctl restart docker
        docker swarm init --advertise-addr 127.0.0.1 >/dev/null
        """,
    )
    applied = run(box, "apply", {})
    assert applied.exit == 1
    assert "Docker is in a swarm, with which it would not start" in applied.stderr
    [host] = run(box, "adopt", {}).document["hosts"].values()
    assert host["settings"]["engine"] == {"live_restore": False}
    assert run(box, "plan", {"live_restore": False}).exit == 0
    on_machine(box, "docker swarm leave --force >/dev/null")
    assert run(box, "apply", {}).exit == 0
