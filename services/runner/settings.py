"""The runner's settings: from its environment and from nothing else, all judged at its start."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ADDRESS = re.compile(r"tcp://([A-Za-z0-9][A-Za-z0-9.-]{0,252}):([0-9]{1,5})", re.ASCII)


class SettingsError(ValueError):
    """Settings that the runner does not start with. Has a line for each problem."""


@dataclass(frozen=True)
class Settings:
    """Where things are, and how much there may be of each. Each is said by the environment
    variable RUNNER_ and its name in capitals; `docker_host` by DOCKER_HOST, as for Docker."""

    docker_host: str
    """The guard's address, tcp://HOST:PORT."""
    guard_key_file: Path
    """The key that the guard asks for. It is read for each request, so that it can be changed."""
    data_dir: Path = Path("/runner-data")
    """What lasts: `state`, `audit` and `reports` are written, `jobs` and `tokens` only read."""
    cache_dir: Path = Path("/runner-cache")
    """What may be lost: `tmp` for work that is going on."""
    host: str = "0.0.0.0"
    """The address to listen on; the container's port is published on 127.0.0.1 alone."""
    port: int = 8080
    parallel: int = 4
    """Jobs that run at a time, of all callers."""
    queued: int = 200
    """Jobs that wait, of all callers."""
    queue_seconds: int = 3600
    """A job that this runner could not begin for so long is given up."""
    followers: int = 64
    """Requests that wait or follow at a time, of all callers; a caller has a quarter of them."""
    reports_days: int = 30
    """Logs and artifacts are removed after so many days,"""
    reports_mb: int = 10_240
    """and before that, the oldest first, when all together have more than so many MB, or than half
    of their disk."""
    jobs_owner: int | None = None
    """The user id that job files must belong to; none is asked for where it is not said."""

    @property
    def jobs(self) -> Path:
        """The folder of job files."""
        return self.data_dir / "jobs"

    @property
    def tokens(self) -> Path:
        """The folder of the callers' tokens and rights."""
        return self.data_dir / "tokens"

    @property
    def database(self) -> Path:
        """The file that holds the state of all jobs."""
        return self.data_dir / "state" / "runner.sqlite3"

    @property
    def last_prune(self) -> Path:
        """The file whose time is that of the last look for what is old."""
        return self.data_dir / "state" / "pruned"

    @property
    def audit(self) -> Path:
        """The folder to which the audit chain is exported."""
        return self.data_dir / "audit"

    @property
    def reports(self) -> Path:
        """The folder with a folder for each job: its log and its artifacts."""
        return self.data_dir / "reports"

    @property
    def tmp(self) -> Path:
        """The folder for what is under way."""
        return self.cache_dir / "tmp"

    @property
    def guard_url(self) -> str:
        """The guard's address as a URL."""
        return self.docker_host.replace("tcp://", "http://", 1)


BOUNDS = {
    "port": (1, 65_535),
    "parallel": (1, 256),
    "queued": (1, 10_000),
    "queue_seconds": (10, 604_800),
    "followers": (4, 1024),
    "reports_days": (1, 36_500),
    "reports_mb": (1, 100_000_000),
    "jobs_owner": (0, 2**32 - 2),
}
_PATHS = ("data_dir", "cache_dir", "guard_key_file")
_TEXTS = ("host",)
_PREFIX = "RUNNER_"


def read(environ: Mapping[str, str]) -> Settings:
    """Given an environment, return the settings that it says. Raise SettingsError with all that is
    wrong; nothing on disk is looked at."""
    said: dict[str, object] = {}
    problems = []
    for variable, value in environ.items():
        if not variable.startswith(_PREFIX):
            continue
        name = variable.removeprefix(_PREFIX).lower()
        if name in BOUNDS:
            least, most = BOUNDS[name]
            if not re.fullmatch(r"[0-9]{1,12}", value, re.ASCII) or not least <= int(value) <= most:
                problems.append(f"At {variable}: {value!r} is no number of {least} to {most}")
            else:
                said[name] = int(value)
        elif name in _PATHS:
            if not value.startswith("/"):
                problems.append(f"At {variable}: {value!r} is no absolute path; begin it with /")
            said[name] = Path(value)
        elif name in _TEXTS:
            said[name] = value
        else:
            known = ", ".join(sorted(name.upper() for name in (*BOUNDS, *_PATHS, *_TEXTS)))
            problems.append(f"At {variable}: is no setting; known after {_PREFIX}: {known}")
    docker_host = environ.get("DOCKER_HOST", "")
    if not _ADDRESS.fullmatch(docker_host):
        problems.append(f"At DOCKER_HOST: {docker_host!r} is no address; write tcp://HOST:PORT")
    if "guard_key_file" not in said:
        problems.append("At RUNNER_GUARD_KEY_FILE: is required; name the file with the guard's key")
    if problems:
        raise SettingsError("\n".join(sorted(problems)))
    return Settings(docker_host=docker_host, **said)  # type: ignore[arg-type]


def prepare(settings: Settings) -> None:
    """Make the folders that the runner writes to. Raise SettingsError with all that it cannot."""
    problems = []
    for folder in (settings.database.parent, settings.audit, settings.reports, settings.tmp):
        try:
            folder.mkdir(mode=0o750, exist_ok=True)
        except OSError as error:
            problems.append(f"{folder}: cannot be made: {error.strerror}; make it for this account")
            continue
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            problems.append(f"{folder}: is not writable for uid {os.geteuid()}; chown it to that")
    if not os.access(settings.guard_key_file, os.R_OK):
        problems.append(
            f"{settings.guard_key_file}: the guard's key cannot be read by uid {os.geteuid()}; "
            "mount the file, readable for it"
        )
    if problems:
        raise SettingsError("\n".join(problems))
