"""Containers of no stack that are as strong as root, and who lets them be."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from clup.facts.stacks import StacksState
from clup.stacks.others import others
from clup.waiver import Waiver
from tests.unit.compose.bad import SOCKETS
from tests.unit.stacks.examples import spec

TODAY = datetime.date.today()
NOBODY = "stacks: no container but the guard has Docker's socket or is privileged"


def container(*sources: str, privileged: bool = False, **mount: str) -> dict[str, Any]:
    """Return what a container has of the host: folders and sockets, a mount that is none."""
    mounts = [{"Type": "bind", "Source": source, "Destination": "/x"} for source in sources]
    return {
        "Name": "/forged",
        "HostConfig": {"Privileged": privileged},
        "Mounts": [*mounts, *([mount] if mount else [])],
    }


def failed(folder: Path, days: int | None = None, **state: Any) -> list[str]:
    """Return the checks that fail, by a waiver of `forged` that ends in so many days, or none."""
    waivers = {}
    if days is not None:
        last = TODAY + datetime.timedelta(days)
        waivers = {"forged": Waiver(reason="shows what runs", owner="psy", expires=last)}
    made = spec(folder, guards=("guard",), holders=waivers)
    results = others("stacks", made, StacksState(docker=True, **state))
    return [str(each) for each in results if each.status == "failed"]


SOCKET = {"web_socket": {"Options": {"o": "bind", "device": "/run"}}}


@pytest.mark.parametrize(
    "found",
    [
        *(container(path) for path in (*SOCKETS, "/", "/run", "/var/run/", "/run/clup-docker")),
        container("/srv/data/openclaw/web", "/run/containerd"),
        container(privileged=True),
        container(Type="volume", Name="web_socket", Destination="/x"),
    ],
)
def test_a_container_that_is_root_is_named_with_the_cure(
    tmp_path: Path, found: dict[str, Any]
) -> None:
    [line] = failed(tmp_path, others=(found,), volumes=SOCKET)
    assert line.startswith(f'{NOBODY}: found "container forged ')
    assert "`docker rm -f forged`; what is needed, say in stacks.own.web.docker.NAME" in line


@pytest.mark.parametrize(
    "found",
    [
        container(),
        container("/srv/data", "/etc", "/var", "/run/user", "/runs"),
        container(Type="volume", Name="web_state", Source="/srv/cache/docker", Destination="/x"),
    ],
)
def test_what_any_other_container_has_is_its_own_matter(
    tmp_path: Path, found: dict[str, Any]
) -> None:
    assert failed(tmp_path, others=(found,), volumes=SOCKET) == []


@pytest.mark.parametrize(("days", "lines"), [(0, 0), (-1, 2)])
def test_a_waiver_lets_it_be_for_a_time(tmp_path: Path, days: int, lines: int) -> None:
    found = failed(tmp_path, days, others=(container(privileged=True),))
    assert len(found) == lines
    assert all("forged" in line for line in found)


def test_what_containerd_runs_and_docker_does_not_know_is_named(tmp_path: Path) -> None:
    [line] = failed(tmp_path, strays=("4f1c",))
    assert "`sudo ctr -n moby tasks rm -f 4f1c`" in line
