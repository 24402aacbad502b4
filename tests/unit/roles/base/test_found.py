"""The machine itself, said in settings."""

from __future__ import annotations

from typing import Any

import pytest

from clup.facts.identity import IdentityState
from clup.facts.sshd import SshdState
from clup.found import Found, Note
from roles.base.found import identity, kernel, sshd


def state(hostname: str = "vm", zone: str = "Etc/UTC", language: str = "") -> IdentityState:
    return IdentityState(
        hostname=hostname,
        hostname_file=f"{hostname}\n",
        hosts="",
        localtime=f"/usr/share/zoneinfo/{zone}",
        timezone="",
        language_file="/etc/default/locale",
        language=language,
        locales=frozenset(),
    )


@pytest.mark.parametrize(
    ("found", "expected", "notes"),
    [
        (state(), {"hostname": "vm", "timezone": "Etc/UTC"}, 0),
        (
            state("vm.lan", "Europe/Berlin", '# by hand\nLANG="de_DE.UTF-8"\n'),
            {"hostname": "vm", "timezone": "Europe/Berlin", "locale": "de_DE.UTF-8"},
            0,
        ),
        (state("My_VM", language="LANG=C\n"), {"timezone": "Etc/UTC"}, 2),
    ],
)
def test_name_zone_and_language(found: IdentityState, expected: dict[str, str], notes: int) -> None:
    said = list(identity(found))
    assert {each.path[0]: each.value for each in said if isinstance(each, Found)} == expected
    assert sum(isinstance(each, Note) for each in said) == notes


def test_what_people_tuned_is_said_the_last_value_of_each() -> None:
    text = ["# mine", "vm.swappiness=60", "net/ipv4/x = 1\t 2", "vm.swappiness = 10", "-a.b=007"]
    said = {each.path[1]: each.value for each in kernel(text) if isinstance(each, Found)}
    assert said == {"vm.swappiness": 10, "net.ipv4.x": "1 2", "a.b": "007"}


@pytest.mark.parametrize("name", ["net.ipv6.conf.all.stable_secret", "net.ipv4.tcp_fastopen_key"])
def test_a_secret_of_the_kernels_is_not_said(name: str) -> None:
    [said] = kernel([f"{name} = 0123-4567"])
    assert isinstance(said, Note)
    assert "0123" not in said.text


@pytest.mark.parametrize(
    ("options", "found", "notes"),
    [
        ({}, [], 0),
        ({"permitrootlogin": ("no",)}, [Found(("ssh", "root_login"), "no")], 0),
        ({"permitrootlogin": ("yes",), "passwordauthentication": ("yes",)}, [], 2),
    ],
)
def test_doors_that_are_open_are_remarked_on(
    options: dict[str, Any], found: list[Found], notes: int
) -> None:
    said = list(sshd(SshdState(None, "", False, None, options)))
    assert [each for each in said if isinstance(each, Found)] == found
    assert sum(isinstance(each, Note) for each in said) == notes
