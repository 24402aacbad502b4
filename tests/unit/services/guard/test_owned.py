from __future__ import annotations

from typing import Any

import pytest

from services.guard.body import LABEL_LIMITS, limits_text
from services.guard.owned import listed, owned, shown
from services.jobs import Limits
from tests.unit.services.guard.given import ID

LABELS = {
    "clup.class": "job",
    "clup.job": "audit",
    "clup.job.id": ID,
    LABEL_LIMITS: limits_text(Limits(seconds=7)),
}
STATE = {
    "Status": "exited", "StartedAt": "2026-11-21T10:00:00.123456789Z",
    "FinishedAt": "2026-11-21T10:00:01Z", "ExitCode": 0, "OOMKilled": True, "Error": "",
}  # fmt: skip


def said(name: str = f"/clup-job-{ID}", labels: Any = None, **state: Any) -> dict[str, Any]:
    labels = LABELS if labels is None else labels
    mounts = [{"Type": "volume", "Name": "v"}, {"Type": "bind", "Source": "/srv"}]
    return {"Id": "f" * 64, "Name": name, "Config": {"Labels": labels}, "State": STATE | state,
            "Mounts": mounts}  # fmt: skip


def test_a_container_of_ours() -> None:
    found = owned(said(), ID)
    assert found
    assert (found.job, found.limits.seconds, found.volumes) == ("audit", 7, frozenset("v"))


FOREIGN = {
    "no labels": said(labels={}),
    "another class": said(labels=LABELS | {"clup.class": "service"}),
    "another name": said(name="/guard"),
    "another's id": said(labels=LABELS | {"clup.job.id": "f" * 32}),
    "a name that ends so": said(name=f"/x-clup-job-{ID}"),
    "no limits": said(labels={key: LABELS[key] for key in LABELS if key != LABEL_LIMITS}),
}


@pytest.mark.parametrize("container", FOREIGN.values(), ids=FOREIGN)
def test_a_container_of_others(container: dict[str, Any]) -> None:
    assert owned(container, ID) is None
    labels, name = container["Config"]["Labels"], container["Name"]
    assert listed([{"Labels": labels, "Names": [name], "State": "running", "Created": 1}]) == []


def test_what_is_told() -> None:
    found = owned(said(), ID)
    assert found
    assert shown(found, {"disk_bytes": 3}, "disk_full", has_docker_lasted=True) == {
        "id": ID, "job": "audit", "state": "exited", "started": STATE["StartedAt"],
        "finished": STATE["FinishedAt"], "exit_code": 0, "oom_killed": True, "error": "disk_full",
        "lost": False, "usage": {"disk_bytes": 3},
    }  # fmt: skip


@pytest.mark.parametrize("status", ["created", "running"])
def test_what_has_not_ended_has_no_result(status: str) -> None:
    found = owned(said(Status=status, FinishedAt="0001-01-01T00:00:00Z"), ID)
    assert found
    told = shown(found, {}, "", has_docker_lasted=True)
    assert (told["exit_code"], told["oom_killed"], told["finished"], told["error"]) == (None,) * 4


@pytest.mark.parametrize(
    ("status", "expected"),
    [("created", False), ("running", True), ("paused", True), ("restarting", True),
     ("exited", False), ("dead", False), ("removing", False)],
)  # fmt: skip
def test_what_is_running(status: str, expected: bool) -> None:
    found = owned(said(Status=status), ID)
    assert found
    assert found.is_running is expected
