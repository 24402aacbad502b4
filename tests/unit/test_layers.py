"""Settings: how layers merge, and what an operator reads when something is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import Field, ValidationError, field_validator
from pyinfra.api.exceptions import DeployError
from pyinfra.api.inventory import Inventory

from clup.layers import settings_of, settings_of_all, validate
from clup.settings import Model, Problem, SettingsError, fault, merge, problems_of


class Disk(Model):
    label: str
    size_gib: int = Field(default=1, ge=1)

    @field_validator("label")
    @classmethod
    def _short(cls, value: str) -> str:
        if len(value) > 16:
            raise fault(f"is {len(value)} bytes; an ext4 label has at most 16", "shorten it")
        return value


class Storage(Model):
    disks: dict[str, Disk] = Field(default={})


class Site(Model):
    storage: Storage


@pytest.mark.parametrize(
    ("layers", "merged"),
    [
        ([{}, {}], {}),
        ([{"a": 1}, {"a": 2}], {"a": 2}),
        ([{"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}], {"a": {"b": 1, "c": 3}}),
        ([{"a": [1, 2]}, {"a": [3]}], {"a": [3]}),
        ([{"a": 1}, {"a": {"b": 2}}], {"a": {"b": 2}}),
        ([{"a": {"b": 1}}, {"a": None}], {"a": None}),
    ],
)
def test_layers_merge_deeply(layers: list[dict[str, Any]], merged: dict[str, Any]) -> None:
    before = [repr(layer) for layer in layers]
    assert merge(*layers) == merged
    assert [repr(layer) for layer in layers] == before


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {"storage": {"disks": {"data": {"label": "CLAW_DATA_ARCHIVE"}}}},
            "At storage.disks.data.label: 'CLAW_DATA_ARCHIVE' is 17 bytes;"
            " an ext4 label has at most 16; shorten it",
        ),
        (
            {"storage": {"disks": {"data": {"lable": "X", "label": "Y"}}}},
            "At storage.disks.data.lable: is not a known setting; did you mean 'label'?",
        ),
        (
            {"storage": {"zzz": 1}},
            "At storage.zzz: is not a known setting; known here: disks",
        ),
        ({"storage": {"disks": {"a": {}}}}, "At storage.disks.a.label: is required; add it"),
        (
            {"storage": {"disks": {"a": {"label": "A", "size_gib": "many"}}}},
            "At storage.disks.a.size_gib: 'many' input should be a valid integer, unable to parse"
            " string as an integer; write a whole number",
        ),
        (
            {"storage": {"disks": {"a": {"label": "A", "size_gib": 0}}}},
            "At storage.disks.a.size_gib: 0 input should be greater than or equal to 1;"
            " choose a larger one",
        ),
        (
            {"storage": {"disks": [1]}},
            "At storage.disks: [1] input should be a valid dictionary; write a mapping: {...}",
        ),
    ],
)
def test_a_problem_names_path_value_reason_and_cure(given: dict[str, Any], line: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Site.model_validate(given)
    assert [str(problem) for problem in problems_of(caught.value, Site)] == [line]


def inventory(
    all_data: dict[str, Any], group: dict[str, Any], **hosts: dict[str, Any]
) -> Inventory:
    names = list(hosts.items())
    return Inventory((names, all_data), prod=([*hosts], group))


def test_a_host_wins_over_its_group_and_that_over_all() -> None:
    disks = {"a": {"label": "ALL", "size_gib": 1}, "b": {"label": "B"}}
    made = inventory(
        {"storage": {"disks": disks}},
        {"storage": {"disks": {"a": {"size_gib": 2}}}},
        one={"storage": {"disks": {"a": {"label": "HOST"}}}, "ssh_port": 22},
        two={"_sudo": True},
    )
    found = settings_of_all(made, Site)
    assert found["one"].storage.disks["a"] == Disk(label="HOST", size_gib=2)
    assert found["two"].storage.disks["a"] == Disk(label="ALL", size_gib=2)
    assert found["two"].storage.disks["b"] == Disk(label="B")


def test_all_problems_of_all_hosts_come_at_once_with_their_origin() -> None:
    made = inventory(
        {"storage": {"disks": {"a": {"label": "A", "size_gib": 0}}}},
        {},
        one={"storrage": {}},
        two={"storage": {"disks": {"b": {}}}, "ssh_prot": 22},
    )
    with pytest.raises(SettingsError) as caught:
        settings_of_all(made, Site)
    assert {host: [p.path for p in found] for host, found in caught.value.problems.items()} == {
        "one": ["storage.disks.a.size_gib", "storrage"],
        "two": ["ssh_prot", "storage.disks.a.size_gib", "storage.disks.b.label"],
    }
    problems = [problem for found in caught.value.problems.values() for problem in found]
    assert {(problem.path, problem.origin) for problem in problems} == {
        ("storage.disks.a.size_gib", "group_data/all.py"),
        ("storrage", "inventory, host one"),
        ("ssh_prot", "inventory, host two"),
        ("storage.disks.b.label", "inventory, host two"),
    }
    shared = [line for line in str(caught.value).splitlines() if "size_gib" in line]
    assert len(shared) == 1
    assert shared[0].startswith("one, two: At storage.disks.a.size_gib (group_data/all.py): 0 ")
    cures = {problem.path: problem.cure for problem in problems}
    assert cures["ssh_prot"] == "did you mean 'ssh_port'?"


def test_plain_pyinfra_gets_them_as_one_deploy_error() -> None:
    made = inventory({}, {}, one={"storage": {"disks": 1}})
    with pytest.raises(DeployError, match=r"one: At storage\.disks"):
        settings_of(made.get_host("one"), Site)


class Needy(Site):
    other: Storage = Storage()

    @classmethod
    def relations(cls, parts: Mapping[str, Any]) -> list[Problem]:
        missing = Problem("storage.disks", "", "is empty", "add one")
        return [missing] if "storage" in parts and not parts["storage"].disks else []


@pytest.mark.parametrize(
    ("group", "origin"),
    [
        ({}, "group_data/prod.py is not there, or says nothing"),
        ({"storage": {}}, "group_data/prod.py"),
        ({"_sudo": True}, ""),
    ],
)
def test_what_nobody_said_names_the_file_that_should_have(
    group: dict[str, Any], origin: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_of_all(inventory({}, group, one={}), Needy)
    assert [problem.origin for problem in caught.value.problems["one"]] == [origin]


def test_what_is_wrong_between_roles_is_said_beside_what_is_wrong_in_another() -> None:
    made = inventory({"storage": {}, "other": {"disks": {"a": {}}}}, {}, one={})
    with pytest.raises(SettingsError) as caught:
        settings_of_all(made, Needy)
    paths = [problem.path for problem in caught.value.problems["one"]]
    assert paths == ["other.disks.a.label", "storage.disks"]


def test_settings_that_are_not_whole_yet_are_judged_part_by_part() -> None:
    made = inventory({"storage": {}}, {}, one={})
    assert settings_of_all(made, Needy, whole=False)["one"].storage.disks == {}
    [host] = made
    found = {"storage": {"disks": {"a": {"label": "A"}}}}
    assert isinstance(validate(host, Needy, above=found), Needy)
    wrong = validate(host, Needy, above={"storage": {"disks": {"a": {}}}})
    assert isinstance(wrong, list)
    assert [problem.path for problem in wrong] == ["storage.disks.a.label"]
