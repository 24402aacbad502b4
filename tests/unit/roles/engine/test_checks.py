"""What verify says of the engine's files: one line about a broken one, and what `apply` cannot."""

from __future__ import annotations

import pytest

from clup.checks import APPLY, Result
from roles.engine.checks import containerd_toml, daemon_json
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
