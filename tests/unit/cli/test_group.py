"""The command line itself: quick, complete, and exact about wrong usage."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from clup import cli


def run(arguments: list[str]) -> int:
    """Run the command in this process and return its exit code."""
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["aply"], "there is no command 'aply'; did you mean 'apply'?"),
        (["zzz"], "there is no command 'zzz'; clup --help lists them"),
        (["lab", "don"], "there is no command 'don'; did you mean 'down'?"),
        (["lab", "frob"], "there is no command 'frob'; clup lab --help lists them"),
        (["--nonsense"], "No such option"),
        (["completion", "tcsh"], "'tcsh' is not one of"),
        (["verify", "--role", "base,enginne"], "'enginne' is no role; there are base, storage"),
        ([], "Usage: clup"),
    ],
)
def test_wrong_usage_is_64(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 64
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["plan", "--limt", "x", "--json"], "plan"),
        (["aply", "--json"], "aply"),
        (["lab", "down", "--name", "a", "--all", "--json"], "lab down"),
        (["--json"], ""),
    ],
)
def test_wrong_usage_is_a_document_for_who_asked_for_one(
    arguments: list[str], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 64
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer.pop("error"), str)
    assert answer == {"command": command, "exit": 64, "hosts": {}}


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_helps_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "-h"]) == 0
    assert "Example" in capsys.readouterr().out


def test_version_names_the_revision(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("clup 0.")


def test_an_interrupt_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(
        cli.Commands,
        "get_command",
        lambda *_: click.Command(
            "x", callback=interrupted, params=[click.Option(["--json"], is_flag=True)]
        ),
    )
    assert run(["plan"]) == 1
    assert capsys.readouterr().err.strip() == "clup: interrupted"
    assert run(["plan", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "command": "plan",
        "exit": 1,
        "hosts": {},
        "error": "interrupted",
    }


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_speaks_of_clup(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_CLUP_COMPLETE" in capsys.readouterr().out


HEAVY = ("pyinfra", "gevent", "rich", "pydantic", "paramiko", "testinfra")


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        (["--help"], {}),
        ([], {"_CLUP_COMPLETE": "bash_complete", "COMP_WORDS": "clup ", "COMP_CWORD": "1"}),
    ],
)
def test_help_and_completion_import_nothing_heavy(
    arguments: list[str], environment: dict[str, str]
) -> None:
    code = f"""import atexit, sys
atexit.register(lambda: print("loaded:", [name for name in {HEAVY!r} if name in sys.modules]))
from clup.cli import main
main({arguments!r})"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert "plan" in done.stdout
    assert done.stdout.endswith("loaded: []\n")
