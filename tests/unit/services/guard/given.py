"""What the guard's tests start from: its settings, a job, a request for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from services.guard.asked import Asked
from services.guard.cache import Cache
from services.guard.docker import Docker
from services.guard.settings import Settings
from services.guard.watch import Watch
from services.jobs import Job, read_job
from tests.unit.services.jobs.clean import written

ID = "0123456789abcdef" * 2
HEAD = "ab" * 32
SETTINGS = Settings(
    listen=("0.0.0.0", 2375),
    docker_socket=Path("/run/docker/api.sock"),
    key=b"k" * 32,
    jobs=Path("/jobs"),
    jobs_owner=0,
    ledger=Path("/ledger/heads"),
    repositories="/srv/data/repo",
    cache_gradle="/srv/cache/gradle",
    cache=None,
    cache_days=90,
    cache_mb=1,
    untrusted_user="7001:7001",
    trusted_user="7002:7002",
    most_containers=4,
    most_running=2,
    cgroup_parent="clup-jobs.slice",
)
ASKED = Asked("audit", ID, {"ref": "main", "repository": "clup"}, HEAD)


def job(changes: dict[str, Any] | None = None) -> Job:
    """Return the clean job with other values at dotted paths."""
    return read_job(written(changes), "audit", "x")


def request(**changes: Any) -> dict[str, Any]:
    """Return the body of a request for the clean job, with other labels."""
    labels = {
        "clup.job": "audit",
        "clup.job.id": ID,
        "clup.job.parameters": json.dumps(dict(ASKED.parameters)),
        "clup.audit.head": HEAD,
    }
    return {"Labels": labels | changes}


def new_watch(docker: object, cache: Cache | None = None) -> Watch:
    """Return a watch over what stands for Docker, with no cache to prune unless one is given."""
    return Watch(cast(Docker, docker), cache or Cache(None, 90, 1))
