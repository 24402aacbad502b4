from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from clup.facts.docker import STORED, EngineState, Stored, Wanted, parsed

INFO = {
    "ServerVersion": "29.0.1",
    "DockerRootDir": "/srv/cache/docker",
    "LiveRestoreEnabled": True,
    "LoggingDriver": "json-file",
    "ClientInfo": {
        "Plugins": [
            {"Name": "buildx", "Version": "v0.29.1"},
            {"Name": "compose", "Version": "v5.0.0"},
        ]
    },
}
WANTED = Wanted("/srv/cache/docker", "/srv/cache/containerd", True, "json-file")


def test_a_machine_with_an_engine() -> None:
    text = '{"debug": true}'
    state = parsed(
        [
            "os ubuntu 24.04",
            f"file /etc/docker/daemon.json {base64.b64encode(text.encode()).decode()}",
            f"docker {json.dumps(INFO)}",
            "containerd /srv/cache/containerd/io.containerd.metadata.v1.bolt/meta.db",
        ]
    )
    assert state.os == ("ubuntu", "24.04")
    assert state.files == {"/etc/docker/daemon.json": text}
    assert state.containerd_root == "/srv/cache/containerd"
    assert state.compose == "v5.0.0"
    assert WANTED.differences(state) == []


@pytest.mark.parametrize("answer", ["{}", '{"ServerErrors": ["no"], "ServerVersion": ""}', "null"])
def test_a_client_without_a_daemon_is_no_answer(answer: str) -> None:
    state = parsed(["os debian 13", f"docker {answer}"])
    assert state.info is None
    assert state.compose is None


def test_a_bare_machine_differs_in_nothing() -> None:
    assert WANTED.differences(parsed(["os debian 13"])) == []


@pytest.mark.parametrize(
    ("info", "root", "differences"),
    [
        ({}, "/var/lib/containerd", ["containerd's root is /var/lib/containerd"]),
        ({"DockerRootDir": "/mnt"}, WANTED.containerd_root, ["Docker's root is /mnt"]),
        ({"LiveRestoreEnabled": False}, None, ["live restore is False"]),
        ({"LoggingDriver": "local"}, None, ["the logging driver is local"]),
    ],
)
def test_what_runs_otherwise_is_named(
    info: dict[str, object], root: str | None, differences: list[str]
) -> None:
    state = EngineState(("debian", "13"), {**INFO, **info}, root, {})
    assert WANTED.differences(state) == differences


def stored(*roots: Path) -> dict[str, int]:
    """Run the script on real folders: Docker's root and the wanted one, containerd's likewise."""
    words = ["sh", "-c", STORED, "sh", *map(str, roots)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return Stored().process(done.stdout.splitlines())


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("docker/image/overlay2/imagedb/content/sha256/0123", {"images": 1}),
        ("docker/containers/0123/config.v2.json", {"containers": 1}),
        ("docker/volumes/bots/_data/state.db", {"volumes": 1}),
        ("docker/swarm/docker-state.json", {"swarm files": 1}),
        ("containerd/io.containerd.content.v1.content/blobs/sha256/0123", {"containerd blobs": 1}),
        # What an engine leaves that never stored anything.
        ("docker/network/files/local-kv.db", {}),
        ("docker/volumes/metadata.db", {}),
        ("docker/image/overlay2/repositories.json", {}),
        ("containerd/io.containerd.metadata.v1.bolt/meta.db", {}),
    ],
)
def test_what_would_be_left_behind_is_counted(
    tmp_path: Path, path: str, found: dict[str, int]
) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.touch()
    old, new = tmp_path / "docker", tmp_path / "new"
    assert stored(old, new, tmp_path / "containerd", new / "containerd") == found
    assert stored(old, old, tmp_path / "containerd", tmp_path / "containerd") == {}
    # A link to the wanted place is no move.
    new.symlink_to(old)
    (tmp_path / "newer").symlink_to(tmp_path / "containerd")
    assert stored(new, old, tmp_path / "newer", tmp_path / "containerd") == {}


@pytest.mark.parametrize("trouble", ["echo 'find: x: Input/output error' >&2; exit 1", "exit 124"])
def test_what_cannot_be_counted_is_not_nothing(tmp_path: Path, trouble: str) -> None:
    program = tmp_path / "find"
    program.write_text(f"#!/bin/sh\n{trouble}\n")
    program.chmod(0o755)
    words = ["sh", "-c", STORED, "sh", str(tmp_path), "/srv/new", "/gone", "/srv/new"]
    path = f"{tmp_path}:/usr/bin:/bin"
    done = subprocess.run(words, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "images cannot be counted: " in done.stderr


def test_roots_that_are_not_there_hold_nothing(tmp_path: Path) -> None:
    assert stored(tmp_path / "a", tmp_path / "b", tmp_path / "c", tmp_path / "d") == {}
