"""What `verify` makes of the runner's answer at /healthz, and of what is at the guard's socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clup.facts.paths import PathState
from roles.runner.checks import KEYS, health, socket_of_guard
from roles.runner.files import wrong_writers
from roles.runner.settings import Settings

ID = f"sha256:{'1' * 64}"
GUARD = Settings.model_validate({"images": {"guard": ID, "runner": ID}})
TECNATIVA = Settings.model_validate({"proxy": "tecnativa"})
WELL: dict[str, Any] = {**dict.fromkeys(KEYS, "x"), "ok": True}
ILL: dict[str, Any] = {**WELL, "ok": False, "reason": "the guard cannot be asked"}


@pytest.mark.parametrize(
    ("settings", "said", "failed"),
    [
        (GUARD, WELL, []),
        (GUARD, ILL, ["the guard cannot be asked"]),
        (GUARD, {**ILL, "reason": None}, ["it gives no reason"]),
        (GUARD, {"ok": True}, ["docker_host"]),
        (GUARD, {**WELL, "problems": ["audit.yaml: no"]}, ["audit.yaml: no"]),
        (TECNATIVA, ILL, []),
        (TECNATIVA, WELL, ["can run no job"]),
    ],
)
def test_its_health(settings: Settings, said: dict[str, Any], failed: list[str]) -> None:
    results = list(health(json.dumps(said), settings))
    found = [f"{each.what}: {each.found}" for each in results if each.status == "failed"]
    assert len(found) == len(failed)
    assert all(words in line for words, line in zip(failed, found, strict=True))


def test_an_answer_that_is_none() -> None:
    [result] = health("curl: (7)\nConnection refused", GUARD)
    assert (result.status, result.found) == ("failed", "it answers 'Connection refused'")


@pytest.mark.parametrize(
    ("writers", "words"),
    [
        ([2011], ""),
        ([2011, 2000], ""),
        ([], "does not let the guard remove files"),
        ([2010, 2011], "lets the runner write"),
    ],
)
def test_who_may_write_the_cache(writers: list[int], words: str) -> None:
    found = wrong_writers(writers, GUARD.ids)
    assert found.endswith(words)
    assert bool(found) == bool(words)


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (PathState("socket", "0660", "root", "claw-guard"), ""),
        (PathState("socket", "0666", "root", "claw-guard"), "found '0666 root:claw-guard'"),
        (PathState("socket", "0660", "root", "docker"), "found '0660 root:docker'"),
        (None, "found 'nothing'"),
    ],
)
def test_whose_the_guards_socket_is(state: PathState | None, found: str) -> None:
    result = socket_of_guard(state)
    assert result.what == "runner: /run/clup-docker/api.sock is 0660 root:claw-guard"
    assert result.found.startswith(found)
    assert result.status == ("failed" if found else "passed")
