"""What is found, how it is told, and what is allowed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clup.compose.document import Document, parse
from clup.compose.schema import violations
from clup.compose.stack import judge_container, judge_file
from tests.unit.compose.bad import GONE
from tests.unit.compose.clean import (
    CLEAN,
    CONTAINER,
    GUARDS,
    changed,
    found_in_file,
    found_live,
    rules,
)


def test_a_finding_says_where_what_why_and_what_to_do() -> None:
    document = parse("name: x\nservices:\n  web:\n    ports:\n      - 8080:80\n", "x.yaml")
    said = [str(each) for each in judge_file(document) if each.rule == "published-ports"]
    assert said == [
        "At services.web.ports.0 (x.yaml, line 5): '8080:80' is published on every address (rule "
        "published-ports); publish it on 127.0.0.1 or on the machine's tailnet address"
    ]


def test_a_finding_of_a_container_names_it() -> None:
    inspected = changed(CONTAINER, "HostConfig", "Privileged", True)
    (finding,) = judge_container(inspected)
    assert (finding.origin, finding.service) == ("container dkr-claw-runner", "web")
    assert finding.path == "HostConfig.Privileged"


ALLOWED = {
    "a policy that always restarts": ("restart", "always"),
    "one that does after a failure": ("restart", "on-failure:5"),
    "a policy of deploy": ("deploy", {"restart_policy": {"condition": "any"}}),
    "the driver with limits of its own": ("logging", {"driver": "local"}),
    "no swap": ("memswap_limit", 0),
    "Docker's own profile": ("security_opt", ["no-new-privileges", "seccomp=builtin"]),
    "a profile by name": ("security_opt", ["no-new-privileges=true", "apparmor=mine"]),
    "all by its long name": ("cap_drop", ["CAP_ALL"]),
    "a group": ("group_add", ["10005"]),
    "a name without its registry": ("image", "runner@sha256:" + "5" * 64),
    "an id without its algorithm": ("image", "5" * 64),
    "a network that is external": ("/networks.published", {"external": True}),
}


@pytest.mark.parametrize(("place", "value"), ALLOWED.values(), ids=ALLOWED)
def test_what_is_allowed(place: str, value: Any) -> None:
    assert found_in_file(place, value) == []


SHOWN = {
    "a variable": ("command", ["a ${HOME:-secret}"], ["'$HOME'"]),
    "a lone sign": ("command", ["a $"], ["'$'"]),
    "a variable that is passed on": ("environment", ["LEVEL"], ["'LEVEL'"]),
    "a file": ("env_file", ".env", ["'.env'"]),
    "a source": ("volumes", ["state:/state"], ["'state'"]),
    "a target without a source": ("volumes", ["/state"], ["'/state'"]),
    "a secret's name, in the reason": ("environment", {"DB_PASSWORD": "hunter2"}, [""]),
}


@pytest.mark.parametrize(("place", "value", "expected"), SHOWN.values(), ids=SHOWN)
def test_what_a_finding_shows(place: str, value: Any, expected: list[str]) -> None:
    assert [each.value for each in found_in_file(place, value)] == expected


def test_networks_by_default_and_by_their_key_are_judged() -> None:
    for networks in ({"default": {"driver": "host"}}, {"host": {"external": True}}):
        data = changed(CLEAN.data, "", "/networks", CLEAN.data["networks"] | networks)
        joined = GONE if "default" in networks else ["host"]
        data = changed(data, "services.web", "networks", joined)
        assert rules(judge_file(Document("x", data, {}), GUARDS)) == {"namespaces"}


SHORT = {
    "./x:/x": {"host-paths", "mount-syntax"},
    ".:/x": {"host-paths", "mount-syntax"},
    "~:/x": {"host-paths", "mount-syntax"},
    "/etc:/x:ro": {"host-paths", "mount-syntax"},
    "/run/docker.sock:/x": {"docker-socket", "mount-syntax"},
    "state:/opt/android-sdk": {"android-sdk", "mount-syntax"},
    "state:/x": {"mount-syntax"},
}


@pytest.mark.parametrize(("said", "expected"), SHORT.items())
def test_a_mount_in_the_short_form_is_judged_too(said: str, expected: set[str]) -> None:
    assert rules(found_in_file("volumes", [said])) == expected


@pytest.mark.parametrize("kind", ["configs", "secrets"])
@pytest.mark.parametrize("form", ["x", {"source": "x", "target": "/x"}])
def test_what_a_config_or_secret_holds_is_judged_where_it_is_given(kind: str, form: Any) -> None:
    for said, expected in (
        ({"file": "/etc/shadow"}, {"host-paths"}),
        ({"file": "/run/docker.sock"}, {"docker-socket"}),
        ({"content": "-----BEGIN PRIVATE KEY-----"}, {"secrets"}),
        ({"file": "/srv/x"}, set()),
    ):
        data = changed(CLEAN.data, "", f"/{kind}", {"x": said})
        assert (
            judge_file(Document("x", changed(data, "services.web", "secrets", []), {}), GUARDS)
            == []
        )
        data = changed(changed(data, "services.web", "secrets", []), "services.web", kind, [form])
        found = judge_file(Document("x", data, {}), GUARDS)
        assert rules(found) == expected
        assert all(finding.path.startswith(f"{kind}.x.") for finding in found)


def test_a_secret_may_not_stand_where_a_shared_sdk_would() -> None:
    given = [{"source": "key", "target": "/opt/android-sdk"}]
    assert rules(found_in_file("secrets", given)) == {"android-sdk"}


@pytest.mark.parametrize("runtime", ["", "runc", "io.containerd.runc.v2"])
def test_the_runtime_may_be_runc(runtime: str) -> None:
    assert found_live("Runtime", runtime) == []


@pytest.mark.parametrize("key", ["MaskedPaths", "ReadonlyPaths"])
def test_paths_of_the_system_stay_masked(key: str) -> None:
    assert rules(found_live(key, [])) == {"confinement"}
    assert found_live(key, None) == found_live(key, ["/proc/asound"]) == []


def test_a_quota_limits_processor_time_too() -> None:
    by_quota = changed(CONTAINER, "HostConfig", "CpuQuota", 50000)
    assert judge_container(changed(by_quota, "HostConfig", "NanoCpus", 0)) == []


def test_each_mount_is_judged_once_by_where_it_was_asked_for() -> None:
    asked = [
        {"Type": "bind", "Source": source, "Target": f"/x{source}"} for source in ("/a", "/etc")
    ]
    there = [
        {"Type": "bind", "Source": mount["Source"], "Destination": mount["Target"]}
        for mount in (*asked, {"Source": "/root", "Target": "/y"})
    ]
    data = changed(changed(CONTAINER, "HostConfig", "Mounts", asked), "", "/Mounts", there)
    found = [(each.path, each.value) for each in judge_container(data)]
    assert found == [("HostConfig.Mounts.1", "'/etc'"), ("Mounts.2", "'/root'")]


def test_a_volume_live_may_not_stand_where_a_shared_sdk_would() -> None:
    mount = {"Type": "volume", "Source": "sdk", "Target": "/opt/android-sdk"}
    assert rules(found_live("Mounts", [mount])) == {"android-sdk"}


def test_a_container_that_compose_does_not_know_goes_by_its_own_name() -> None:
    assert {each.service for each in found_live("/Config.Labels", None)} == {"dkr-claw-runner"}


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "100.64.0.1", "fd7a:115c:a1e0::1"])
def test_a_port_may_be_on_loopback_and_the_tailnet(address: str) -> None:
    shown = f"[{address}]" if ":" in address else address
    for port in (f"{shown}:8080:80", f"{shown}::80", {"target": 80, "host_ip": address}):
        assert found_in_file("ports", [port]) == []


def test_limits_may_stand_under_deploy() -> None:
    limits = {"memory": "64m", "cpus": "0.5", "pids": 50}
    data = changed(CLEAN.data, "services.web", "deploy", {"resources": {"limits": limits}})
    for key in ("mem_limit", "cpus", "pids_limit"):
        data = changed(data, "services.web", key, GONE)
    assert judge_file(parse(json.dumps(data), "x"), GUARDS) == []


def test_a_job_needs_no_health_check_no_policy_and_live_no_project() -> None:
    inspected = changed(CONTAINER, "", "/Config.Labels", {"clup.class": "job"})
    inspected = changed(inspected, "", "/Config.Healthcheck", GONE)
    inspected = changed(inspected, "", "/HostConfig.RestartPolicy", {"Name": "no"})
    assert judge_container(inspected) == []


def test_a_guard_is_known_by_its_name_and_only_where_it_is_said_to_be_one() -> None:
    data = changed(CLEAN.data, "", "/services.guard.labels", {"clup.class": "guard"})
    document = parse(json.dumps(data), "x")
    assert judge_file(document, GUARDS) == []
    assert {finding.rule for finding in judge_file(document)} == {"docker-socket"}


def test_a_live_volume_that_stands_for_a_folder_is_judged_as_that() -> None:
    volumes = {"runner_state": {"Options": {"type": "none", "o": "bind", "device": "/etc"}}}
    by_mount = {"Type": "volume", "Source": "runner_state", "Target": "/state"}
    for inspected in (
        CONTAINER,
        changed(CONTAINER, "HostConfig", "Binds", None),
        changed(CONTAINER, "HostConfig", "Binds", ["runner_state:/elsewhere"]),
        changed(changed(CONTAINER, "HostConfig", "Mounts", [by_mount]), "", "/Mounts", []),
    ):
        assert rules(judge_container(inspected, volumes=volumes)) == {"host-paths"}
    assert judge_container(CONTAINER, volumes={"another": volumes["runner_state"]}) == []


def test_no_secret_is_shown() -> None:
    change = {"DB_PASSWORD": "hunter2", "URL": "http://me:hunter2@x", "X": ["hunter2"]}
    data = changed(CLEAN.data, "services.web", "environment", change)
    document = parse(json.dumps(data), "x")
    said = [*map(str, judge_file(document)), *map(str, violations(document))]
    assert len(said) > 2
    assert "hunter2" not in "".join(said)
