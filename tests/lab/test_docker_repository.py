"""Docker's own packages, from a signed repository on 127.0.0.1 of the machine.

The tests run in the order in which they stand: each begins where the one before it ended.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clup import lab
from tests.lab.command import on_machine
from tests.lab.engine_machine import HELLO, machine, run

URL = "http://127.0.0.1:8099"
VERSIONS = {
    "docker-ce": "5:26.1.5-1~lab",
    "docker-ce-cli": "5:26.1.5-1~lab",
    "containerd.io": "1.7.24-1~lab",
    "docker-buildx-plugin": "0.13.1-1~lab",
    "docker-compose-plugin": "2.26.1-1~lab",
}
INSTALLED = "dpkg-query -W -f '${db:Status-Status} ${Package}=${Version}\\n'"


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine("repository") as box:
        on_machine(box, Path(__file__).with_name("docker_repository.sh").read_text())
        first = run(box, "apply", {})
        assert first.exit == 0, first.stderr
        assert on_machine(box, HELLO) == "hello from a container\n"
        yield box


def docker(box: lab.Lab, key: str = "lab", **versions: str) -> dict[str, Any]:
    """Return settings with that repository, one of the keys there, and versions that differ."""
    return {
        "source": "docker",
        "repository": {
            "url": URL,
            "suite": "trixie",
            "key": on_machine(box, f"cat /opt/repository/{key}.asc"),
            "versions": VERSIONS | {name.replace("_", "-"): v for name, v in versions.items()},
        },
    }


def test_the_distributions_packages_are_not_replaced_unasked(box: lab.Lab) -> None:
    before = on_machine(box, INSTALLED)
    applied = run(box, "apply", docker(box))
    assert applied.exit == 1
    assert "docker.io" in before
    assert on_machine(box, INSTALLED) == before
    cure = re.search(r"`(apt-get remove [^`]*)`", applied.stderr)
    assert cure, applied.stderr
    # What the message says to type is what the next tests begin with.
    on_machine(box, f"{cure[1]} -y -qq >/dev/null")


def test_a_strangers_signature_is_told(box: lab.Lab) -> None:
    applied = run(box, "apply", docker(box, key="stranger"))
    assert applied.exit == 1
    assert f"Docker's repository {URL} trixie: apt cannot use it" in applied.stderr
    assert "check url, suite and key in engine.repository" in applied.stderr
    assert "docker-ce" not in on_machine(box, INSTALLED)


def test_a_version_that_is_gone_is_told_with_those_that_are_there(box: lab.Lab) -> None:
    applied = run(box, "apply", docker(box, docker_ce="5:25.0.1-1~lab"))
    assert applied.exit == 1
    assert "docker-ce 5:25.0.1-1~lab is not, or no longer," in applied.stderr
    assert "pin one that is there: 5:26.1.5-1~lab 5:27.0.0-1~lab" in applied.stderr
    assert "docker-ce" not in on_machine(box, INSTALLED)


def test_the_pinned_versions_are_installed_and_find_what_was_there(box: lab.Lab) -> None:
    applied = run(box, "apply", docker(box))
    assert applied.exit == 0, applied.stderr
    installed = on_machine(box, INSTALLED).splitlines()
    for name, version in VERSIONS.items():
        assert f"installed {name}={version}" in installed
    assert run(box, "verify", docker(box)).checks("failed") == []
    # Anew: on a host with version 1 of cgroups, systemd has taken the living one out of its group.
    anew = "docker restart -t 0 bot; docker exec bot /bin/busybox cat /data/state"
    assert on_machine(box, anew) == "bot\nkept\n"


def test_a_newer_version_does_not_come_by_itself(box: lab.Lab) -> None:
    assert "docker-ce" not in on_machine(box, "apt-get -s -qq dist-upgrade")
    held = on_machine(box, "apt-config dump Unattended-Upgrade::Package-Blacklist")
    for name in VERSIONS:
        assert f'"^{name.replace(".", "[.]")}$"' in held


def test_again_nothing_changes(box: lab.Lab) -> None:
    applied = run(box, "apply", docker(box))
    assert (applied.exit, applied.operations("changed")) == (0, set())


def test_an_upgrade_is_a_change_of_the_setting(box: lab.Lab) -> None:
    newer = docker(box, docker_ce="5:27.0.0-1~lab")
    assert "package docker-ce has version 5:27.0.0-1~lab" in "".join(
        run(box, "verify", newer).checks("failed")
    )
    assert run(box, "apply", newer).exit == 0
    assert run(box, "verify", newer).checks("failed") == []
    back = run(box, "apply", docker(box))
    assert back.exit == 0, back.stderr
    assert "installed docker-ce=5:26.1.5-1~lab" in on_machine(box, INSTALLED)


def test_what_was_entered_by_hand_is_described_and_moved_away_first(box: lab.Lab) -> None:
    """As Docker's manual has it: a source and a key of one's own, by which apt would refuse all."""
    by_hand = "/etc/apt/sources.list.d/docker.list"
    on_machine(
        box,
        f"""
        rm /etc/apt/sources.list.d/clup-docker.sources /etc/apt/preferences.d/clup-docker
        install -m 0644 /opt/repository/lab.asc /etc/apt/keyrings/docker.asc
        echo 'deb [signed-by=/etc/apt/keyrings/docker.asc] {URL} trixie stable' >{by_hand}
        apt-get -qq update
        """,
    )
    [host] = run(box, "adopt", {}).document["hosts"].values()
    engine = host["settings"]["engine"]
    assert engine["source"] == "docker"
    assert engine["repository"]["versions"] == VERSIONS
    planned = run(box, "plan", engine)
    assert planned.exit == 1
    [cure] = re.findall(r"`(mv [^`]+)`", str(planned.document))
    on_machine(box, cure)
    applied = run(box, "apply", engine)
    assert applied.exit == 0, applied.stderr
    on_machine(box, "apt-get -qq update")
    assert run(box, "plan", engine).exit == 0
