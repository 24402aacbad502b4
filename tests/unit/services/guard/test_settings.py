from __future__ import annotations

from pathlib import Path

import pytest

from services.guard.settings import SettingsError, read


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    key = tmp_path / "key"
    key.write_text("k" * 64 + "\n")
    key.chmod(0o400)
    return {
        "GUARD_DOCKER_SOCKET": "/run/docker/api.sock",
        "GUARD_KEY_FILE": str(key),
        "GUARD_JOBS": "/jobs",
        "GUARD_LEDGER": "/ledger/heads",
        "GUARD_REPOSITORIES": "/srv/data/repo",
        "GUARD_CACHE_GRADLE": "/srv/cache/gradle",
        "GUARD_UNTRUSTED_USER": "7001:7001",
        "GUARD_TRUSTED_USER": "7002:7002",
        "PATH": "/bin",
    }


def test_what_is_not_said_has_its_default(environment: dict[str, str]) -> None:
    settings = read(environment)
    assert settings.listen == ("0.0.0.0", 2375)
    assert settings.key == b"k" * 64
    assert (settings.jobs_owner, settings.most_running) == (0, 16)
    assert (settings.cache, settings.cache_days, settings.cache_mb) == (None, 90, 20_480)


REFUSED = {
    "nobody's socket": ("GUARD_DOCKER_SOCKET", None, "GUARD_DOCKER_SOCKET is not set"),
    "a typing error": ("GUARD_JOB", "x", "GUARD_JOB is no setting; remove it"),
    "a relative path": ("GUARD_JOBS", "jobs", "GUARD_JOBS: 'jobs' is no plain absolute path"),
    "a path with a way up": ("GUARD_REPOSITORIES", "/srv/../etc", "is no plain absolute path"),
    "the root": ("GUARD_CACHE_GRADLE", "/", "is no plain absolute path"),
    "root as a job": ("GUARD_UNTRUSTED_USER", "0:0", "is no pair of ids; it is UID:GID"),
    "root's group": ("GUARD_TRUSTED_USER", "7002:0", "is no pair of ids"),
    "a name": ("GUARD_TRUSTED_USER", "psy", "is no pair of ids"),
    "one user for both": ("GUARD_TRUSTED_USER", "7001:7002", "shares an id with GUARD_UNTRUSTED"),
    "no port": ("GUARD_LISTEN", "0.0.0.0", "is no address with a port; it is ADDRESS:PORT"),
    "a port too far": ("GUARD_LISTEN", "0.0.0.0:70000", "is no address with a port"),
    "no number": ("GUARD_MOST_RUNNING", "all", "is out of bounds; it is a number from 1 to 10000"),
    "none": ("GUARD_MOST_CONTAINERS", "0", "is out of bounds"),
    "no key": ("GUARD_KEY_FILE", "/nowhere", "cannot be read (No such file or directory)"),
    "a relative cache": ("GUARD_CACHE", "cache", "GUARD_CACHE: 'cache' is no plain absolute path"),
    "no day": ("GUARD_CACHE_DAYS", "0", "is out of bounds; it is a number from 1 to 36500"),
    "a slice's way out": ("GUARD_CGROUP_PARENT", "../x", "is no name of a slice"),
}


@pytest.mark.parametrize(("name", "value", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(
    environment: dict[str, str], name: str, value: str | None, expected: str
) -> None:
    environment.pop(name, None)
    if value is not None:
        environment[name] = value
    with pytest.raises(SettingsError) as raised:
        read(environment)
    assert expected in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [("hunter2", 0o400, "holds no key"), ("k" * 40, 0o444, "is open to everybody (mode 0444)")],
)
def test_a_key_that_is_none(
    environment: dict[str, str], content: str, mode: int, expected: str
) -> None:
    path = Path(environment["GUARD_KEY_FILE"])
    path.chmod(0o600)
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(SettingsError) as raised:
        read(environment)
    assert expected in str(raised.value)
    assert content not in str(raised.value)
