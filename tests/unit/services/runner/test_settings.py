from __future__ import annotations

from pathlib import Path

import pytest

from services.runner.settings import SettingsError, prepare, read

NEEDED = {"DOCKER_HOST": "tcp://claw-socket-proxy:2375", "RUNNER_GUARD_KEY_FILE": "/run/key"}

REFUSED = {
    "no guard": ({"DOCKER_HOST": ""}, "At DOCKER_HOST: '' is no address; write tcp://HOST:PORT"),
    "a socket": ({"DOCKER_HOST": "unix:///run/docker.sock"}, "is no address"),
    "a path behind": ({"DOCKER_HOST": "tcp://guard:2375/x"}, "is no address"),
    "a relative path": ({"RUNNER_DATA_DIR": "data"}, "is no absolute path"),
    "no number": ({"RUNNER_PORT": "http"}, "At RUNNER_PORT: 'http' is no number of 1 to 65535"),
    "out of bounds": ({"RUNNER_PARALLEL": "0"}, "is no number of 1 to 256"),
    "another alphabet": ({"RUNNER_PARALLEL": "\u0663"}, "is no number"),
    "a sign": ({"RUNNER_QUEUED": "+5"}, "is no number"),
    "unknown": ({"RUNNER_PARALEL": "2"}, "At RUNNER_PARALEL: is no setting; known after RUNNER_"),
}


def test_what_is_said_and_what_is_not() -> None:
    settings = read({**NEEDED, "RUNNER_PARALLEL": "2", "PATH": "/bin", "RUNNER_DATA_DIR": "/d"})
    assert (settings.parallel, settings.port) == (2, 8080)
    assert settings.database == Path("/d/state/runner.sqlite3")
    assert settings.guard_url == "http://claw-socket-proxy:2375"


@pytest.mark.parametrize(("said", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(said: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read(NEEDED | said)
    assert expected in str(raised.value)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as raised:
        read({"RUNNER_PORT": "x"})
    assert [line.split(":")[0] for line in str(raised.value).splitlines()] == [
        "At DOCKER_HOST", "At RUNNER_GUARD_KEY_FILE", "At RUNNER_PORT",
    ]  # fmt: skip


def test_folders_that_cannot_be_made(tmp_path: Path) -> None:
    said = {"RUNNER_DATA_DIR": str(tmp_path / "no"), "RUNNER_CACHE_DIR": str(tmp_path)}
    with pytest.raises(SettingsError) as raised:
        prepare(read(NEEDED | said))
    assert f"{tmp_path}/no/audit: cannot be made: No such file or directory" in str(raised.value)
    assert "/run/key: the guard's key cannot be read by uid" in str(raised.value)
