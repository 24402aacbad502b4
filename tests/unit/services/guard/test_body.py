from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest

from services.guard.body import LABEL_LIMITS, MB, body, folders, limits_of
from tests.unit.services.guard.given import ASKED, ID, SETTINGS, job

VOLUME = f"clup-job-{ID}-{'0a' * 8}"


def made(changes: dict[str, Any] | None = None) -> dict[str, Any]:
    wanted = job(changes)
    return body(wanted, ASKED, wanted.environment(ASKED.parameters), VOLUME, SETTINGS)


def test_nothing_of_the_image_or_the_request_is_run() -> None:
    container = made()
    assert [*container["Entrypoint"], *container["Cmd"]] == ["/opt/jobs/audit", "--strict"]
    assert container["User"] == "7001:7001"
    assert container["Healthcheck"] == {"Test": ["NONE"]}
    assert "PARAM_REF=main" in container["Env"]
    assert container["Labels"] == {
        "clup.class": "job",
        "clup.job": "audit",
        "clup.job.id": ID,
        LABEL_LIMITS: container["Labels"][LABEL_LIMITS],
    }


def test_no_more_processors_are_asked_for_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker would refuse the container: a job's file is for machines of all sizes."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert made({"limits.cpus": 8.0})["HostConfig"]["NanoCpus"] == 2_000_000_000


def test_a_job_is_shut_in() -> None:
    host = made()["HostConfig"]
    assert (host["NetworkMode"], host["IpcMode"], host["CgroupnsMode"]) == (
        "none", "private", "private",
    )  # fmt: skip
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["ReadonlyRootfs"] is True
    assert host["Privileged"] is False
    assert host["Memory"] == host["MemorySwap"] == 128 * MB
    assert (host["NanoCpus"], host["PidsLimit"]) == (500_000_000, 256)
    assert host["CgroupParent"] == "clup-jobs.slice"
    # A limit of 0 is none to Docker.
    assert all(
        value for value in (host["Memory"], host["NanoCpus"], host["PidsLimit"], host["ShmSize"])
    )


def test_one_file_of_the_log_holds_all_that_may_be_handed_out() -> None:
    """Of the lines of a file between the one that is read and the newest, Docker tells nobody."""
    log = made({"limits.output_mb": 3})["HostConfig"]["LogConfig"]
    assert (log["Type"], log["Config"]["max-file"]) == ("local", "1")
    of_empty_lines = 3 * MB * 26
    assert int(log["Config"]["max-size"].removesuffix("m")) * 10**6 >= of_empty_lines


MOUNTS: dict[str, tuple[dict[str, Any], dict[str, bool]]] = {
    "all": ({}, {"/work": False, "/repo": True, "/cache": True}),
    "of a trusted job": ({"trust": "trusted"}, {"/work": False, "/repo": True, "/cache": False}),
    "without a cache": ({"cache": "none"}, {"/work": False, "/repo": True}),
    "without parameters": ({"parameters": {}}, {"/work": False, "/cache": True}),
}


@pytest.mark.parametrize(("changes", "expected"), MOUNTS.values(), ids=MOUNTS)
def test_mounts(changes: dict[str, Any], expected: dict[str, bool]) -> None:
    wanted = job(changes)
    environment = {} if "parameters" in changes else wanted.environment(ASKED.parameters)
    mounts = body(wanted, ASKED, environment, VOLUME, SETTINGS)["HostConfig"]["Mounts"]
    assert {each["Target"]: each.get("ReadOnly", False) for each in mounts} == expected
    [volume] = [each for each in mounts if each["Type"] == "volume"]
    assert volume["Source"] == VOLUME
    sources = {each["Target"]: each["Source"] for each in mounts if each is not volume}
    known = {"/repo": SETTINGS.repositories, "/cache": SETTINGS.cache_gradle}
    assert known.items() >= sources.items()


def test_a_trusted_job_is_another_user() -> None:
    assert made({"trust": "trusted"})["User"] == "7002:7002"


def test_the_limits_in_the_label_are_read_back() -> None:
    limits = limits_of(made()["Labels"][LABEL_LIMITS])
    assert (limits.seconds, limits.output_mb, limits.disk_mb, limits.artifacts_mb) == (
        60, 16, 1024, 64,
    )  # fmt: skip


def test_the_folders_belong_to_the_job_and_work_itself_does_not() -> None:
    with tarfile.open(fileobj=io.BytesIO(folders(job(), SETTINGS))) as archive:
        found = {each.name: (each.uid, each.gid, each.mode, each.isdir()) for each in archive}
    assert found == dict.fromkeys(["home", "artifacts"], (7001, 7001, 0o700, True))


def test_a_parameter_is_nowhere_but_in_the_environment() -> None:
    container = made()
    rest = {key: value for key, value in container.items() if key != "Env"}
    assert "main" not in json.dumps(rest)
