"""What Docker says of a container, in the words by which stacks are judged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from clup.machine import stack_reading
from clup.machine.stack_reading import of_project, standing, summary

LISTED = {
    "Id": "abc",
    "Names": ["/web-web-1"],
    "ImageID": "sha256:1",
    "State": "running",
    "Status": "Up 5 minutes (healthy)",
    "Labels": {
        "com.docker.compose.project": "web",
        "com.docker.compose.service": "web",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.config-hash": "1234",
    },
}


@pytest.mark.parametrize(
    ("state", "status", "kind", "expected"),
    [
        ("running", "Up 5 minutes (healthy)", "service", ("ready", "runs")),
        ("running", "Up 5 minutes", "service", ("ready", "runs")),
        ("running", "Up 1 second (health: starting)", "service", ("waiting", "is not healthy yet")),
        ("running", "Up 9 hours (unhealthy)", "service", ("failed", "is unhealthy")),
        ("running", "Up 5 minutes", "job", ("waiting", "is still at work")),
        ("exited", "Exited (0) 5 minutes ago", "job", ("ready", "has ended well")),
        ("exited", "Exited (0) 5 minutes ago", "service", ("failed", "ended with 0")),
        ("exited", "Exited (137) 5 minutes ago", "job", ("failed", "ended with 137")),
        ("created", "Created", "service", ("waiting", "has not started yet")),
        ("restarting", "Restarting (7) 1 second ago", "service",
         ("waiting", "ended with 7, restarts")),
        ("paused", "Up 5 minutes (Paused)", "service", ("failed", "is paused")),
        ("dead", "Dead", "job", ("failed", "is dead")),
    ],
)  # fmt: skip
def test_how_a_container_stands(
    state: str, status: str, kind: str, expected: tuple[str, str]
) -> None:
    found = summary({**LISTED, "State": state, "Status": status})
    assert standing(found, kind) == expected


def test_containers_by_their_service() -> None:
    bare: dict[str, Any] = {"Id": "def", "Names": None, "Labels": None}
    found = [summary(LISTED), summary(bare)]
    assert found[1]["name"] == ""
    assert of_project(found, "web") == {"web": [found[0]]}


def test_the_ports_that_a_container_holds() -> None:
    both = [{"IP": ip, "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"} for ip in ("::", "")]
    listed = {**LISTED, "Ports": [*both, {"PrivatePort": 443, "Type": "tcp"}]}
    assert [summary(each)["ports"] for each in (listed, LISTED)] == [[8080], []]


def test_the_networks_that_a_container_is_in() -> None:
    networks = {"Networks": {"web_default": {"IPAddress": ""}, "runner_inside": {}}}
    found = [summary({**LISTED, "NetworkSettings": networks}), summary(LISTED)]
    assert [each["networks"] for each in found] == [["runner_inside", "web_default"], []]


def test_a_secret_is_known_by_a_digest_that_needs_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_reading, "FOLDER", tmp_path)
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "one").write_text("1")
    assert stack_reading.keyed(str(secret)) is None
    (tmp_path / "key").write_bytes(b"k" * 64)
    first = stack_reading.keyed(str(secret))
    assert stack_reading.keyed(str(secret)) == first
    # What goes from one file to the next is another secret.
    for name, text in (("one", ""), ("two", "1")):
        (secret / name).write_text(text)
    second = stack_reading.keyed(str(secret))
    (tmp_path / "key").write_bytes(b"l" * 64)
    assert len({first, second, stack_reading.keyed(str(secret))}) == 3
    assert stack_reading.keyed(str(tmp_path / "gone")) is None


def test_what_containers_of_no_stack_have_of_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to("/run")
    bind = {"Type": "bind", "Source": f"{tmp_path}/link/docker.sock", "Destination": "/s"}
    volume = {"Type": "volume", "Name": "data", "Source": "/x/_data", "Destination": "/d"}
    answers: dict[str, Any] = {
        "/containers/json?all=1": [
            LISTED,
            {**LISTED, "Id": "by-hand", "Labels": {}},
            {**LISTED, "Id": "of-another", "Labels": {"com.docker.compose.project": "another"}},
            {**LISTED, "Id": "stopped", "Labels": {}, "State": "exited"},
            {**LISTED, "Id": "gone", "Labels": {}, "State": "paused"},
            {**LISTED, "Id": "again", "Labels": {}, "State": "restarting"},
        ],
        "/containers/gone/json": None,
        "/containers/again/json": {"Name": "/again", "HostConfig": {}, "Mounts": None},
        "/containers/by-hand/json": {
            "Name": "/forged",
            "Config": {"Env": ["TOKEN=hunter2"]},
            "HostConfig": {"Privileged": True, "Binds": ["x"]},
            "Mounts": [bind, volume],
        },
    }
    monkeypatch.setattr(stack_reading, "is_active", lambda: True)
    monkeypatch.setattr(stack_reading, "ask", answers.__getitem__)
    monkeypatch.setattr(stack_reading, "TASKS", tmp_path / "tasks")
    question: dict[str, Any] = {"tree": str(tmp_path), "stacks": {}}
    assert "others" not in stack_reading.read(question)
    answer = stack_reading.read({**question, "beside": ["web", "another"]})
    assert answer["others"] == [
        {
            "Name": "/forged",
            "HostConfig": {"Privileged": True},
            "Mounts": [{**bind, "Source": os.path.realpath("/run/docker.sock")}, volume],
        },
        {"Name": "/again", "HostConfig": {"Privileged": None}, "Mounts": []},
    ]
    assert answer["strays"] == []


def test_a_volume_is_known_by_what_its_device_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/run")
    said = {"Name": "v", "Options": {"o": "bind", "device": str(tmp_path / "link")}}
    assert stack_reading.volume(said)["Options"]["device"] == os.path.realpath("/run")
    for other in ({"Name": "v", "Options": None}, {"Name": "v", "Options": {"device": "tmpfs"}}):
        assert stack_reading.volume(other) == other


def test_what_containerd_removes_is_no_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack_reading, "TASKS", tmp_path)
    for name in ("abc", ".def"):
        (tmp_path / name).mkdir()
    assert stack_reading.tasks() == {"abc"}


@pytest.mark.parametrize(
    ("before", "after", "strays"),
    [
        (["abc"], ["abc"], []),
        (["abc", "lost"], ["abc", "lost"], ["lost"]),
        (["abc", "ends"], ["abc"], []),
        (["abc"], ["abc", "begins"], []),
        (["abc", "ending"], ["abc", "ending"], []),
    ],
)
def test_a_task_that_docker_does_not_know_is_there_before_and_after(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    before: list[str],
    after: list[str],
    strays: list[str],
) -> None:
    looks = [set(before), set(after), set(after) - {"ending"}]
    monkeypatch.setattr(stack_reading, "ENDING_SECONDS", 0)
    monkeypatch.setattr(stack_reading, "is_active", lambda: True)
    monkeypatch.setattr(stack_reading, "ask", lambda _: [LISTED])
    monkeypatch.setattr(stack_reading, "tasks", lambda: looks.pop(0))
    question = {"tree": str(tmp_path), "stacks": {}, "beside": ["web"]}
    assert stack_reading.read(question)["strays"] == strays
