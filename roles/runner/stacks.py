"""The stack of guard and runner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from clup.stacks.spec import Spec
from roles.runner import files
from roles.runner.images import images
from roles.runner.settings import CACHE, DATA, Settings

BEFORE_DOCKER = "dkr-claw-socket-proxy"
"""The container that alone has a socket of Docker's."""
CONTAINER = "dkr-claw-runner"

TEMPLATES = Path(__file__).resolve().parent / "templates"


def stacks(settings: Settings) -> Iterator[Spec]:
    """Yield the one stack, where the runner is enabled."""
    if not settings.enabled:
        return
    yield Spec(
        name="runner",
        folder="runner/compose",
        template="runner.yaml.j2",
        folders=(TEMPLATES,),
        at="runner",
        values=values(settings),
        secrets=(files.KEYS,),
        guards=(BEFORE_DOCKER,),
        private={"runner_inside": (BEFORE_DOCKER, CONTAINER)},
        entrusted={
            BEFORE_DOCKER: (files.KEYS, f"{DATA}/ledger", files.JOBS_CACHE),
            CONTAINER: (
                *(files.KEYS, files.TOKENS, files.AUDIT, f"{CACHE}/tmp"),
                *(f"{DATA}/state", f"{DATA}/reports"),
            ),
        },
        holders=settings.docker,
        placed=settings.placed,
        takeover=settings.takeover,
    )


def values(settings: Settings) -> dict[str, object]:
    """Given the settings, return what the template is given."""
    ids = settings.ids
    known, _ = images(settings)
    return {
        "proxy": settings.proxy,
        "proxy_image": known[settings.before_docker],
        "runner_image": known["runner"],
        "user": {name: f"{number}:{number}" for name, number in ids.by_account.values()},
        "data": DATA,
        "cache": CACHE,
        "repositories": files.REPOSITORIES,
        "socket_folder": files.SOCKET_FOLDER,
        "parallel": settings.parallel,
        "queued": settings.queued,
        "reports_days": settings.reports_days,
        "reports_mb": settings.reports_mb,
        "cache_days": settings.cache_days,
        "cache_mb": settings.cache_mb,
    }
