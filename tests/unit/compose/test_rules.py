"""Each rule is broken by a file and by a container that break nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from clup.compose.catalogue import CATALOGUE
from clup.compose.schema import violations
from clup.compose.stack import judge_container, judge_file
from tests.unit.compose.bad import MOUNTABLE, READABLE
from tests.unit.compose.breaks_file import IN_FILE, bind
from tests.unit.compose.breaks_live import LIVE, mount
from tests.unit.compose.clean import (
    CLEAN,
    CONTAINER,
    GUARDS,
    found_in_file,
    found_live,
    rules,
    whole,
)

RULES = [rule.id for rule in CATALOGUE]


def cases(table: dict[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(rule, *change, id=f"{rule}-{number}")
        for rule, changes in table.items()
        for number, change in enumerate(changes)
    ]


def test_the_clean_file_breaks_nothing() -> None:
    assert violations(CLEAN) == []
    assert judge_file(CLEAN, GUARDS) == []


def test_the_clean_container_breaks_nothing() -> None:
    assert judge_container(CONTAINER, GUARDS) == []


@pytest.mark.parametrize(("rule", "place", "value"), cases(IN_FILE))
def test_a_file_breaks_just_that_rule(rule: str, place: str, value: Any) -> None:
    found = found_in_file(place, value)
    assert rules(found) == {rule}
    assert all(each.path.startswith(whole("services.web", place)) for each in found)


@pytest.mark.parametrize(("rule", "place", "value"), cases(LIVE))
def test_a_container_breaks_just_that_rule(rule: str, place: str, value: Any) -> None:
    found = found_live(place, value)
    assert rules(found) == {rule}
    assert all(each.path.startswith(whole("HostConfig", place)) for each in found)


@pytest.mark.parametrize("path", MOUNTABLE)
def test_folders_of_stacks_can_be_mounted(path: str) -> None:
    assert found_in_file("volumes", [bind(path)]) == []
    assert found_live("Mounts", [mount(path)]) == []


@pytest.mark.parametrize("path", READABLE)
def test_what_the_runner_writes_can_be_mounted_to_be_read(path: str) -> None:
    assert found_in_file("volumes", [{**bind(path), "read_only": True}]) == []
    assert found_live("Mounts", [{**mount(path), "ReadOnly": True}]) == []
    assert rules(found_live("Binds", [f"{path}:/x:ro,rslave"])) == {"mount-syntax"}


KEYS = "/srv/data/openclaw/runner/keys"


@pytest.mark.parametrize(
    ("name", "paths", "found"),
    [
        ("dkr-claw-runner", (KEYS,), set()),
        ("dkr-claw-runner", ("/srv/data/openclaw/runner/tokens",), {"host-paths"}),
        ("dkr-claw-socket-proxy", (KEYS,), {"host-paths"}),
        ("web", (KEYS,), {"host-paths"}),
    ],
)
def test_a_container_is_entrusted_by_its_name(
    name: str, paths: tuple[str, ...], found: set[str]
) -> None:
    assert rules(found_in_file("volumes", [bind(KEYS)], {name: paths})) == found
    assert rules(found_live("Mounts", [mount(KEYS)], {name: paths})) == found


@pytest.mark.parametrize(
    ("in_file", "live"),
    [
        (("cap_add", ["CHOWN"]), ("CapAdd", ["CAP_CHOWN"])),
        (("cap_drop", ["NET_RAW"]), ("CapDrop", ["CAP_NET_RAW"])),
        (("devices", ["/dev/kvm:/dev/kvm:rw"]), ("Devices", [{"PathOnHost": "/dev/kvm"}])),
        (("devices", [{"source": "/dev/kvm"}]), ("Devices", [{"PathOnHost": "/dev/kvm"}])),
        (
            ("ports", ["0.0.0.0:80:8080"]),
            ("PortBindings", {"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}]}),
        ),
    ],
)
def test_a_value_is_named_alike_in_a_file_and_live(
    in_file: tuple[str, Any], live: tuple[str, Any]
) -> None:
    values = {each.value for each in [*found_in_file(*in_file), *found_live(*live)]}
    assert len(values) == 1


def test_each_rule_is_broken_in_a_file_and_live() -> None:
    assert sorted(RULES) == sorted(IN_FILE) == sorted(LIVE)
    assert len(set(RULES)) == len(RULES)
