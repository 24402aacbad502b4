"""What is typed after a command: which hosts and roles it means, and how it is completed."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete

from clup import lab
from clup.cli import group
from clup.cli.target import ROOT, Target, inventory_of, target

MACHINES = "lab = ['one', 'two', 'three']\nright = ['three']\n"


def completed(*words: str) -> list[str]:
    """Return what a shell would offer for the last word, after the others."""
    *before, last = words
    completion = ShellComplete(group, {}, "clup", "_CLUP_COMPLETE")
    return [item.value for item in completion.get_completions(before, last)]


def parsed(*words: str) -> Target:
    """Return the Target that the words after a command make."""

    @click.command()
    @target
    def command(target: Target) -> Target:
        return target

    found = command.main(list(words), standalone_mode=False)
    assert isinstance(found, Target)
    return found


@pytest.mark.parametrize(
    ("words", "role"),
    [
        ([], None),
        (["--role", "engine"], "engine"),
        (["--role", "base,engine"], "base,engine"),
        (["--role", "base", "--role", "engine"], "base,engine"),
        (["--role", "base,engine", "--role", "engine"], "base,engine"),
    ],
)
def test_several_roles_are_all_meant(words: list[str], role: str | None) -> None:
    assert parsed(*words).role == role


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("example", "inventories/example.py"),
        ("inventories/example.py", str(ROOT / "inventories/example.py")),
        ("vm.example.org", "vm.example.org"),
        ("@local", "@local"),
    ],
)
def test_an_inventory_is_a_path_its_bare_name_or_what_pyinfra_knows(
    monkeypatch: pytest.MonkeyPatch, typed: str, meant: str
) -> None:
    monkeypatch.chdir(ROOT)
    assert inventory_of(typed) == meant


@pytest.mark.parametrize(
    ("limit", "hosts"),
    [
        ([], ["one", "two", "three"]),
        (["two"], ["two"]),
        (["lab"], ["one", "two", "three"]),
        (["machines"], ["one", "two", "three"]),
        (["t*"], ["two", "three"]),
        (["right", "three", "one"], ["one", "three"]),
    ],
)
def test_limit_names_hosts_groups_and_patterns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: list[str], hosts: list[str]
) -> None:
    inventory = tmp_path / "machines.py"
    inventory.write_text(MACHINES, encoding="utf-8")
    with pytest.raises(SystemExit):
        group.main(["check", str(inventory), *(f"--limit={each}" for each in limit)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == hosts


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (
            ["plan", "INVENTORY", "--limit", ""],
            ["lab", "machines", "one", "right", "three", "two"],
        ),
        (["plan", "INVENTORY", "--limit", "t"], ["three", "two"]),
        (["verify", "--role", "base", "INVENTORY", "--limit", "o"], ["one"]),
        (["plan", "nowhere.py", "--limit", ""], []),
        (["apply", "--role", "s"], ["storage", "stacks"]),
        (["apply", "--role", "base,s"], ["base,storage", "base,stacks"]),
        (["apply", "--role", "storage,sto"], []),
        (
            ["apply", "--role", "base,storage,"],
            [
                f"base,storage,{other}"
                for other in ("engine", "accounts", "layout", "stacks", "runner")
            ],
        ),
    ],
)
def test_completion_of_hosts_and_roles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], offered: list[str]
) -> None:
    inventory = tmp_path / "machines.py"
    inventory.write_text(MACHINES, encoding="utf-8")
    typed = [str(inventory) if each == "INVENTORY" else each for each in words]
    assert completed(*typed) == offered
    assert tuple(capsys.readouterr()) == ("", "")


def test_without_an_inventory_and_a_lab_no_host_is_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lab.lookup, "running", list)
    monkeypatch.delenv("CLUP_LAB", raising=False)
    assert completed("plan", "--limit", "") == []
