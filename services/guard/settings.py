"""The guard's settings, read from its environment and judged as a whole before it listens."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "GUARD_"

_KEY = re.compile(rb"[A-Za-z0-9_-]{32,128}")
_USER = re.compile(r"([1-9][0-9]{0,8}):([1-9][0-9]{0,8})", re.ASCII)
_LISTEN = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3}){3}):([0-9]{1,5})", re.ASCII)
_SLICE = re.compile(r"[a-z0-9/][A-Za-z0-9_./-]{0,100}", re.ASCII)


class SettingsError(ValueError):
    """Settings that the guard does not start with; a line for each problem."""


@dataclass(frozen=True)
class Settings:
    """Where the guard listens, what it talks to, and the constants of every job's container."""

    listen: tuple[str, int]
    docker_socket: Path
    """In a folder that is mounted as a whole: the socket is another file after each restart."""
    key: bytes
    jobs: Path
    jobs_owner: int
    """The user id to which job files must belong."""
    ledger: Path
    """The file to which the audit chain's heads are appended."""
    repositories: str
    """Path on the host: the parent of all repositories."""
    cache_gradle: str
    """Path on the host."""
    cache: Path | None
    """Where the guard itself finds that folder; without it nothing prunes the cache."""
    cache_days: int
    """Files of the cache are removed when nobody has read them for so many days, except on a
    filesystem that is mounted noatime,"""
    cache_mb: int
    """and before that, the longest unread first (on noatime, the first written), when all together
    have more than so many MB."""
    untrusted_user: str
    """UID:GID of jobs that are not trusted; those of trusted ones are others."""
    trusted_user: str
    most_containers: int
    most_running: int
    cgroup_parent: str
    """The slice or cgroup that bounds all jobs together; nothing for Docker's own."""


def read(environment: Mapping[str, str]) -> Settings:
    """Given the environment, return the settings. Raise SettingsError with all problems."""
    problems: list[str] = []
    values: dict[str, Any] = {}
    for name, (reader, default) in _SETTINGS.items():
        variable = PREFIX + name.upper()
        text = environment.get(variable, default)
        if text is None:
            problems.append(f"{variable} is not set; it is {_shape(reader)}")
            continue
        try:
            values[name] = reader(text)
        except ValueError as error:
            problems.append(f"{variable}: {text!r} {error}; it is {_shape(reader)}")
    known = {PREFIX + name.upper() for name in _SETTINGS}
    unknown = sorted(key for key in environment if key.startswith(PREFIX) and key not in known)
    problems += [f"{variable} is no setting; remove it" for variable in unknown]
    both = [values.get(name, "").split(":") for name in ("untrusted_user", "trusted_user")]
    if both[0] != [""] and any(one == other for one, other in zip(*both, strict=False)):
        problems.append("GUARD_TRUSTED_USER shares an id with GUARD_UNTRUSTED_USER; give it others")
    if problems:
        raise SettingsError("\n".join(problems))
    values["key"] = values.pop("key_file")
    return Settings(**values)


def _shape(reader: Callable[[str], Any]) -> str:
    return str(reader.__doc__).removeprefix("Return ").rstrip(".")


def _listen(text: str) -> tuple[str, int]:
    """Return ADDRESS:PORT."""
    found = _LISTEN.fullmatch(text)
    if not found or not 0 < int(found[2]) < 65536:
        raise ValueError("is no address with a port")
    return found[1], int(found[2])


def _path(text: str) -> Path:
    """Return an absolute path in the guard's container."""
    return Path(_host_path(text))


def _path_or_none(text: str) -> Path | None:
    """Return an absolute path in the guard's container, or nothing."""
    return _path(text) if text else None


def _host_path(text: str) -> str:
    """Return an absolute path on the host, in its plain form."""
    if not text.startswith("/") or posixpath.normpath(text) != text or text == "/":
        raise ValueError("is no plain absolute path")
    return text


def _key_file(text: str) -> bytes:
    """Return the path of a file with a key of 32 to 128 letters, digits, _ and -, no more."""
    try:
        mode = Path(text).stat().st_mode
        content = Path(text).read_bytes().removesuffix(b"\n")
    except OSError as error:
        raise ValueError(f"cannot be read ({error.strerror})") from error
    if mode & 0o007:
        raise ValueError(f"is open to everybody (mode {mode & 0o777:04o})")
    if not _KEY.fullmatch(content):
        raise ValueError("holds no key")
    return content


def _user(text: str) -> str:
    """Return UID:GID, neither of them 0."""
    if not _USER.fullmatch(text):
        raise ValueError("is no pair of ids")
    return text


def _owner(text: str) -> int:
    """Return a user id."""
    return _bounded(text, 0, 2**31)


def _count(text: str) -> int:
    """Return a number from 1 to 10000."""
    return _bounded(text, 1, 10_000)


def _days(text: str) -> int:
    """Return a number from 1 to 36500."""
    return _bounded(text, 1, 36_500)


def _megabytes(text: str) -> int:
    """Return a number from 1 to 100000000."""
    return _bounded(text, 1, 100_000_000)


def _bounded(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise ValueError("is out of bounds")
    return int(text)


def _slice(text: str) -> str:
    """Return the name of a slice such as clup-jobs.slice, or nothing."""
    if text and not _SLICE.fullmatch(text):
        raise ValueError("is no name of a slice")
    return text


_SETTINGS: dict[str, tuple[Callable[[str], Any], str | None]] = {
    "listen": (_listen, "0.0.0.0:2375"),
    "docker_socket": (_path, None),
    "key_file": (_key_file, None),
    "jobs": (_path, None),
    "jobs_owner": (_owner, "0"),
    "ledger": (_path, None),
    "repositories": (_host_path, None),
    "cache_gradle": (_host_path, None),
    "cache": (_path_or_none, ""),
    "cache_days": (_days, "90"),
    "cache_mb": (_megabytes, "20480"),
    "untrusted_user": (_user, None),
    "trusted_user": (_user, None),
    "most_containers": (_count, "256"),
    "most_running": (_count, "16"),
    "cgroup_parent": (_slice, ""),
}
