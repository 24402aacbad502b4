"""What a job may use at most. The guard sets these, and ends what is over them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from services.jobs.problem import Path
from services.jobs.sheet import Sheet


@dataclass(frozen=True)
class Limits:
    """Bounds of one job. MB are 2**20 bytes."""

    seconds: int = 600
    """From start to end; then it gets SIGTERM, and 10 s later SIGKILL."""
    memory_mb: int = 512
    """Of memory, what it writes to /tmp included. There is no swap beside it."""
    cpus: float = 1.0
    """Processors."""
    pids: int = 256
    """Processes and threads."""
    output_mb: int = 16
    """Of what it prints; the rest is dropped."""
    disk_mb: int = 1024
    """In /work; a job that is over it is killed."""
    files: int = 100_000
    """Files and folders in /work, without sockets; a job that is over it is killed."""
    artifacts_mb: int = 64
    """Of /work/artifacts as a tar archive; what is larger is not handed out."""


INTEGERS = {
    "seconds": (1, 86_400),
    "memory_mb": (16, 262_144),
    "pids": (8, 32_768),
    "output_mb": (1, 4096),
    "disk_mb": (1, 1_048_576),
    "files": (100, 100_000_000),
    "artifacts_mb": (0, 65_536),
}
CPUS = (0.05, 256.0)


def read_limits(sheet: Sheet, path: Path, value: object) -> Limits:
    """Given what a job file says of limits, return them; what it leaves out has its default."""
    known = [field.name for field in fields(Limits)]
    said = sheet.fields(path, value, (), known)
    good: dict[str, Any] = {}
    for name, given in said.items():
        at = (*path, name)
        found: float | None
        if name == "cpus":
            found = sheet.number(at, given, *CPUS)
        else:
            found = sheet.integer(at, given, *INTEGERS[name])
        if found is not None:
            good[name] = found
    limits = Limits(**good)
    if limits.artifacts_mb > limits.disk_mb:
        reason = f"is more than disk_mb ({limits.disk_mb}), where artifacts are"
        sheet.fault((*path, "artifacts_mb"), limits.artifacts_mb, reason, "lower it")
    return limits
