import json
import re
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from clup.cli import group
from clup.cli.demo import hints
from clup.cli.lab import command
from clup.cli.lab_options import parse_disk
from clup.cli.target import inventory_of
from clup.inventories import DeploymentError
from clup.lab import lookup, machine
from clup.lab.machine import Disk, Lab


@pytest.fixture
def no_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A labs' folder of the test's own, no Docker to ask which labs run, and none that is meant."""
    monkeypatch.setattr(machine, "FOLDER", tmp_path)
    monkeypatch.setattr(lookup, "KINDS", {})
    monkeypatch.delenv("CLUP_LAB", raising=False)
    return tmp_path


def record(folder: Path, name: str, ready: bool = True) -> None:
    machine.save(Lab(name, "container", "trixie", 2222, (), folder / name, ready))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=512", Disk("a", 512)),
        ("virtio-A=64M", Disk("virtio-A", 64 << 20)),
        ("a=2G", Disk("a", 2 << 30)),
    ],
)
def test_a_disk_is_an_id_and_a_size(text: str, expected: Disk) -> None:
    assert parse_disk(text) == expected


@pytest.mark.parametrize("text", ["", "a", "a=", "=1G", "a=1T", "a=1.5G", "a=-1G"])
def test_what_is_no_disk_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(click.BadParameter, match="virtio-SPARE=512M"):
        parse_disk(text)


@pytest.mark.parametrize(
    ("names", "argv", "said"),
    [
        ([], ["down"], "there is no lab; `clup lab up` makes one"),
        ([], ["down", "--name", "x"], "there is no lab 'x'; there is none"),
        (["a", "b"], ["down", "--name", "x"], "there is no lab 'x'; there are: a, b"),
        (["a", "b"], ["down"], "2 labs exist (a, b); say which one with --name"),
        (["a", "b"], ["reboot"], "2 labs exist (a, b)"),
        (
            ["a", "b"],
            ["ssh"],
            "2 labs exist (a, b); say which one with --name NAME, or set CLUP_LAB",
        ),
        (["a"], ["ssh"], "At lab a: it is not up; boot it with `clup lab up --name a`"),
        ([], ["up", "--name", "Bad"], "'Bad' cannot be a host name"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_1(
    no_driver: Path, names: list[str], argv: list[str], said: str
) -> None:
    for name in names:
        record(no_driver, name)
    result = CliRunner().invoke(command, argv)
    assert result.exit_code == 1
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(("argv", "said"), [([], "lab b"), (["--name", "a"], "lab a")])
def test_the_environment_says_which_lab_is_meant_unless_it_is_named(
    no_driver: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str], said: str
) -> None:
    for name in "ab":
        record(no_driver, name)
    monkeypatch.setenv("CLUP_LAB", "b")
    result = CliRunner().invoke(command, ["ssh", *argv])
    assert (result.exit_code, f"At {said}: it is not up" in result.stderr) == (1, True)


def test_without_an_inventory_the_environment_says_which_of_several_labs(
    no_driver: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = [Lab(name, "container", "trixie", 1, (), no_driver / name) for name in ("a", "b")]
    monkeypatch.setattr(lookup, "running", lambda: live)
    monkeypatch.delenv("CLUP_LAB", raising=False)
    with pytest.raises(DeploymentError, match=r"2 labs are up \(a, b\); set CLUP_LAB=NAME"):
        inventory_of(None)
    monkeypatch.setenv("CLUP_LAB", "b")
    assert inventory_of(None) == "inventories/lab.py"


def test_the_document_of_labs_is_as_that_of_machines(no_driver: Path) -> None:
    record(no_driver, "mine")
    listed = json.loads(CliRunner().invoke(command, ["list", "--json"]).stdout)
    [box] = listed.pop("labs")
    assert (box["name"], box["state"], box["port"]) == ("mine", "stopped", 2222)
    assert listed == {"command": "lab list", "exit": 0, "hosts": {}}


@pytest.mark.parametrize("word", ["down", "reboot"])
def test_the_error_in_a_document_is_the_line(no_driver: Path, word: str) -> None:
    result = CliRunner().invoke(command, [word, "--name", "x", "--json"])
    answer = json.loads(result.stdout)
    assert result.stderr == f"clup lab: {answer.pop('error')}\n"
    assert answer == {"command": f"lab {word}", "exit": 1, "hosts": {}}


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["lab", "down", "--name", ""], ["mine", "other"]),
        (["lab", "ssh", "--name", "o"], ["other"]),
        (["lab", "up", "--name", "m"], ["mine"]),
        (["demo", "--name", "m"], ["mine"]),
        (["lab", "up", "--suite", "b"], ["bookworm"]),
        (["lab", "re"], ["reboot"]),
    ],
)
def test_names_and_suites_complete(no_driver: Path, words: list[str], offered: list[str]) -> None:
    for name in ("mine", "other"):
        record(no_driver, name)
    completion = ShellComplete(group, {}, "clup", "_CLUP_COMPLETE")
    assert [each.value for each in completion.get_completions(words[:-1], words[-1])] == offered


def test_each_lab_command_helps_with_an_example() -> None:
    for name in ["", *command.commands]:
        said = CliRunner().invoke(command, [*name.split(), "--help"]).stdout
        assert re.search(rf"(?m)^  Example:\n    clup lab {name}", said), name


@pytest.mark.parametrize(
    ("up", "plan"),
    [(["mine"], "./clup plan"), (["default", "mine"], "CLUP_LAB=mine ./clup plan")],
)
def test_the_demo_hints_at_a_plan_of_its_own_lab(up: list[str], plan: str) -> None:
    assert hints("mine", up, has_runner=False)[1].split("   ")[0].strip() == plan
    with_jobs = hints("mine", up, has_runner=True)
    assert "./clup job run audit repository=hello" in with_jobs[2]
    assert len(with_jobs) == 1 + len(hints("mine", up, has_runner=False))


def test_the_list_shows_labs_in_any_state(no_driver: Path) -> None:
    record(no_driver, "cut", ready=False)
    record(no_driver, "halted")
    (no_driver / "torn").mkdir()
    result = CliRunner().invoke(command, ["list"])
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["cut", "unfinished"],
        ["halted", "stopped"],
        ["torn", "unreadable"],
    ]
