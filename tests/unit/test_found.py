"""What was found on a machine, as Python for group_data."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clup.found import Found, fitting, new, python, tree
from clup.settings import Problem

SETTINGS = {"name": "box", "ids": {"psy": {"uid": 2000, "keys": ("a",)}}}


@pytest.mark.parametrize(
    ("path", "value", "is_new"),
    [
        (("name",), "box", False),
        (("name",), "other", True),
        (("ids", "psy", "uid"), 2000, False),
        (("ids", "psy", "keys"), ["a"], False),
        (("ids", "psy", "keys"), ["a", "b"], True),
        (("ids", "psy"), {}, False),
        (("ids", "bob"), {}, True),
        (("ids", "bob", "uid"), None, True),
    ],
)
def test_only_what_differs_is_new(path: tuple[str, ...], value: object, is_new: bool) -> None:
    assert bool(new([Found(path, value)], SETTINGS)) is is_new


def test_an_entry_without_settings_of_its_own_is_there() -> None:
    found = [Found(("disks", "data"), {}), Found(("disks", "cache"), {})]
    found += [Found(("disks", "cache", "mode"), "0750")]
    assert tree(found) == {"disks": {"data": {}, "cache": {"mode": "0750"}}}


def test_what_settings_refuse_is_taken_out_with_what_it_stands_in() -> None:
    found = {
        "base": [Found(("sysctl", "net.ipv4.ip_forward"), 0), Found(("hostname",), "box")],
        "layout": [Found(("folders", "/srv/x", "mode"), "0777")],
    }

    def judge(given: Mapping[str, Any]) -> list[Problem]:
        problems = [Problem("engine.requires_mount", "'/srv/cache'", "is no mount", "declare it")]
        if "net.ipv4.ip_forward" in given["base"].get("sysctl", {}):
            problems.append(Problem("base.sysctl.net.ipv4.ip_forward", "0", "cuts off", "leave it"))
        if given["layout"]:
            problems.append(Problem("layout", "", "is wrong as a whole", "mend it"))
        return problems

    kept, refused, left = fitting(found, judge)
    assert kept == {"base": [Found(("hostname",), "box")], "layout": []}
    assert [problem.path for problem in refused] == ["base.sysctl.net.ipv4.ip_forward", "layout"]
    assert [problem.path for problem in left] == ["engine.requires_mount"]


def test_it_is_formatted_python_that_says_the_same(tmp_path: Path) -> None:
    found = {
        "base": [Found(("hostname",), "box", "Its name."), Found(("sysctl", "vm.swappiness"), 60)],
        "engine": [
            Found(("daemon", "hosts"), ["a", {"b": False}], "word " * 40),
            Found(("log", "empty"), []),
            Found(("key",), "-----BEGIN\n\nabc\n-----END\n"),
        ],
        "accounts": [
            Found(("users", "psy", "keys"), ['command="x" ssh-ed25519 AAAA', 'it\'s \\ "so"']),
            Found(("users", "psy", "group"), None),
            Found(("docker", "psy"), {}, "Why."),
        ],
        "layout": [],
    }
    text = python(found)
    read: dict[str, Any] = {}
    exec(text, read)
    assert {role: read[role] for role in ("base", "engine", "accounts")} == {
        role: tree(said) for role, said in found.items() if said
    }
    assert "layout" not in text
    file = tmp_path / "found.py"
    file.write_text(text)
    ruff = Path(sys.executable).with_name("ruff")
    done = subprocess.run(
        [ruff, "format", "--diff", "--line-length", "100", "--isolated", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
    assert max(map(len, text.splitlines())) <= 100
