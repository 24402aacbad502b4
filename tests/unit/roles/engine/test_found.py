"""A machine's engine, said in settings."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

import pytest

from clup.daemon_files import CONTAINERD_TOML, DAEMON_JSON
from clup.facts.docker import EngineState
from clup.found import Found, Note, tree
from roles.engine.found import armored, daemon, places, source
from roles.engine.settings import PACKAGES, Settings

KEY = b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc\n-----END PGP PUBLIC KEY BLOCK-----\n"


def engine(keys: Any = None, **info: Any) -> EngineState:
    text = {DAEMON_JSON: keys if isinstance(keys, str) else json.dumps(keys)} if keys else {}
    return EngineState(("debian", "13"), info or None, "/var/lib/containerd", text)


def said(every: Iterable[Found | Note]) -> tuple[dict[str, Any], list[str]]:
    listed = list(every)
    notes = [each.text for each in listed if isinstance(each, Note)]
    return tree(each for each in listed if isinstance(each, Found)), notes


@pytest.mark.parametrize(
    ("keys", "info", "expected", "noted"),
    [
        (None, {}, {"log": {"driver": "json-file"}}, []),
        (
            {"data-root": "/srv/cache/docker", "debug": True, "hosts": ["tcp://0.0.0.0"]},
            {},
            {"log": {"driver": "json-file"}, "daemon": {"debug": True}},
            [],
        ),
        (
            {"log-driver": "local", "log-opts": {"max-size": "20m", "max-file": "5"}},
            {},
            {"log": {"driver": "local", "max_size": "20m", "max_file": 5}},
            [],
        ),
        ({"log-driver": "journald"}, {}, {}, ["New containers log to journald"]),
        (
            {"proxies": {"http-proxy": "http://psy:hunter2@192.0.2.1"}},
            {},
            {"log": {"driver": "json-file"}},
            [f"{DAEMON_JSON} has proxies, which may hold a secret"],
        ),
        (
            {"debug": True},
            {"Swarm": {"LocalNodeState": "active"}},
            {"live_restore": False, "log": {"driver": "json-file"}, "daemon": {"debug": True}},
            [],
        ),
        ("{", {}, {}, [f"{DAEMON_JSON} is no JSON"]),
    ],
)
def test_daemon_json_is_said(
    keys: Any, info: dict[str, Any], expected: dict[str, Any], noted: list[str]
) -> None:
    found, notes = said(daemon(engine(keys, **info)))
    assert found == expected
    assert [text.startswith(start) for text, start in zip(notes, noted, strict=True)] == [
        True for _ in noted
    ]
    Settings.model_validate(found)


def test_a_config_of_containerds_is_remarked_on() -> None:
    state = EngineState(("debian", "13"), None, None, {CONTAINERD_TOML: "version = 2\n"})
    assert len(said(daemon(state))[1]) == 1


@pytest.mark.parametrize(
    ("root", "stored", "mount", "expected", "notes"),
    [
        ("/srv/cache/docker", {}, "/srv/cache", {}, 0),
        (
            "/srv/cache/docker",
            {"running containers": 2},
            "/srv/cache",
            {"containerd_root": "/var/lib/containerd"},
            0,
        ),
        (
            "/srv/docker/data",
            {"images": 3},
            "/srv/docker",
            {"data_root": "/srv/docker/data", "requires_mount": "/srv/docker"},
            0,
        ),
        ("/var/lib/docker", {"volumes": 1}, "/", {}, 1),
        ("/var/lib/docker", {}, "/", {}, 0),
    ],
)
def test_where_data_is_kept_is_said(
    root: str, stored: dict[str, int], mount: str, expected: dict[str, Any], notes: int
) -> None:
    found, remarks = said(places(engine(DockerRootDir=root), stored, mount, Settings()))
    assert (found, len(remarks)) == (expected, notes)


def test_dockers_own_packages_are_pinned_as_they_are() -> None:
    versions = dict.fromkeys(PACKAGES, "5:29.0.1-1~debian.13~trixie")
    lines = [f"version {name} {version}" for name, version in versions.items()]
    lines += ["origin https://mirror.example/debian trixie stable", "file /etc/apt/x.list"]
    lines += [f"key {base64.b64encode(KEY).decode()}"]
    found, notes = said(source(lines))
    assert [note for note in notes if "`mv /etc/apt/x.list /etc/apt/x.list.away`" in note] == notes
    assert len(notes) == 1
    settings = Settings.model_validate(found)
    assert settings.repository is not None
    assert settings.repository.versions == versions
    assert settings.repository.key == KEY.decode()
    assert said(source([])) == ({}, [])
    assert len(said(source(lines[:5]))[1]) == 1
    secret = [line.replace("https://mirror", "https://psy:hunter2@mirror") for line in lines]
    found, notes = said(source(secret))
    assert found == {}
    assert "hunter2" not in str(notes)


def test_a_binary_key_becomes_text() -> None:
    text = armored(b"\x99\x01\x0d" * 40)
    assert text.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n")
    body = "".join(text.splitlines()[2:-1])
    assert base64.b64decode(body) == b"\x99\x01\x0d" * 40
