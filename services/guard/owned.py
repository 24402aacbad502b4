"""Which containers are jobs of ours, and what of them is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.guard.body import LABEL_LIMITS, limits_of
from services.jobs import Limits, names

FILTER = f'{{"label": ["{names.LABEL_CLASS}=job"]}}'
"""What Docker is asked for when it lists containers; each is judged again."""

_NEVER = "0001-"


@dataclass(frozen=True)
class Owned:
    """A container of a job, as Docker showed it."""

    full_id: str
    """Docker's id: what follows is about this container, whatever has its name later."""
    id: str
    job: str
    limits: Limits
    said: Mapping[str, Any]

    @property
    def state(self) -> str:
        """One of Docker's: created, running, exited, dead, paused, restarting, removing."""
        return str(self.said["State"]["Status"])

    @property
    def is_running(self) -> bool:
        """Whether it has processes, or is about to."""
        return self.state not in ("created", "exited", "dead", "removing")

    @property
    def volumes(self) -> frozenset[str]:
        """The names of its volumes."""
        mounts = self.said.get("Mounts") or []
        return frozenset(each["Name"] for each in mounts if each["Type"] == "volume")


def owned(said: Mapping[str, Any], job_id: str) -> Owned | None:
    """Given what Docker shows of a container, return it if it is the job's of that id."""
    labels = said["Config"].get("Labels") or {}
    if not _is_ours(labels, said["Name"]) or labels[names.LABEL_ID] != job_id:
        return None
    limits = limits_of(labels[LABEL_LIMITS])
    return Owned(said["Id"], job_id, labels[names.LABEL_JOB], limits, said)


def listed(entries: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Given Docker's list of containers, return our own as the guard lists them."""
    return [
        {
            "id": entry["Labels"][names.LABEL_ID],
            "job": entry["Labels"][names.LABEL_JOB],
            "state": entry["State"],
            "created": entry["Created"],
        }
        for entry in entries
        if any(_is_ours(entry.get("Labels") or {}, name) for name in entry.get("Names") or [])
    ]


def shown(
    container: Owned, usage: Mapping[str, Any], reason: str, has_docker_lasted: bool
) -> dict[str, Any]:
    """Return what is told of a container, with what it used, why the guard ended it, and whether
    its exit code may be one that Docker invented, as it went away meanwhile."""
    state = container.said["State"]
    return {
        "id": container.id,
        "job": container.job,
        "state": container.state,
        "started": _time(state["StartedAt"]),
        "finished": _time(state["FinishedAt"]),
        "error": reason or state["Error"] or None,
        "lost": not has_docker_lasted,
        "usage": dict(usage),
        **result(container),
    }


def result(container: Owned) -> dict[str, Any]:
    """Return how a container ended: nothing while it has not."""
    state = container.said["State"]
    has_ended = container.state in ("exited", "dead")
    return {
        "exit_code": state["ExitCode"] if has_ended else None,
        "oom_killed": bool(state["OOMKilled"]) if has_ended else None,
    }


def _is_ours(labels: Mapping[str, str], name: str) -> bool:
    """Whether labels and name are those that the guard gives: all of them, and agreeing."""
    job_id = labels.get(names.LABEL_ID, "")
    return (
        labels.get(names.LABEL_CLASS) == "job"
        and names.is_id(job_id)
        and name == f"/{names.container(job_id)}"
        and names.LABEL_JOB in labels
        and LABEL_LIMITS in labels
    )


def _time(text: str) -> str | None:
    return None if text.startswith(_NEVER) else text
