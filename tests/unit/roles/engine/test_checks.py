"""What verify says of the engine's files and socket: one line about a broken one, and what `apply`
cannot."""

from __future__ import annotations

import pytest

from clup.checks import APPLY, Result
from roles.engine.checks import containerd_toml, daemon_json, machine_from, socket
from roles.engine.files import daemon_keys
from roles.engine.settings import Settings

SETTINGS = Settings.model_validate({})
MEND = "mend it or move it away, then `clup apply`"


def failed(results: list[Result]) -> list[tuple[str, str]]:
    """Return what failed, with its cure."""
    return [(result.what, result.cure) for result in results if result.status == "failed"]


@pytest.mark.parametrize("text", ['{"debug": true,}', "[]", "data-root: /srv"])
def test_a_broken_daemon_json_is_one_line_that_apply_does_not_mend(text: str) -> None:
    results = list(daemon_json(SETTINGS, text))
    assert failed(results) == [("engine: /etc/docker/daemon.json is JSON", MEND)]
    assert len(results) == 1
    assert "is no JSON" in results[0].found


@pytest.mark.parametrize("text", [None, "", "{}"])
def test_a_daemon_json_without_keys_lacks_each_and_apply_mends_it(text: str | None) -> None:
    wrong = failed(list(daemon_json(SETTINGS, text)))
    assert len(wrong) == len({**daemon_keys(SETTINGS), "max-file": 1})
    assert {cure for _what, cure in wrong} == {APPLY}


@pytest.mark.parametrize(
    ("text", "cures"),
    [
        ('root = "/srv/cache/containerd"', []),
        ('root = "/var/lib/containerd"', [APPLY]),
        (None, [APPLY]),
        ("root: /srv", [MEND]),
    ],
)
def test_the_root_of_containerd(text: str | None, cures: list[str]) -> None:
    assert [cure for _what, cure in failed(list(containerd_toml(SETTINGS, text)))] == cures


@pytest.mark.parametrize(
    ("said", "failed"),
    [
        ("root:docker 660", False),
        ("root:docker 600", False),
        ("root:docker 666", True),
        ("root:docker 662", True),
        ("psy:docker 660", True),
        ("root:users 660", True),
        ("root:root 600", False),
        ("root:root 666", True),
        (None, True),
    ],
)
def test_whose_dockers_socket_is(said: str | None, failed: bool) -> None:
    result, _ = socket(machine_from([f"path /run/docker.sock {said}"] if said else []))
    assert result.status == ("failed" if failed else "passed")
    assert "/run/docker.sock" in result.what
    assert not failed or "`chown root:docker /run/docker.sock; chmod 660" in result.cure


def test_others_that_a_list_lets_at_dockers_socket() -> None:
    lines = ["path /run/docker.sock root:docker 660", "acl /run/docker.sock"]
    assert [each.status for each in socket(machine_from(lines))] == ["passed", "failed"]
