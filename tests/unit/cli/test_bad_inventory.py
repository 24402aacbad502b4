"""Inventories that lead to no machine: one line, exit 1, a document with --json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clup import cli, lab


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, dict[str, Any]]:
    """Run the command in this process; return its exit code, its only line and its document."""
    with pytest.raises(SystemExit) as end:
        cli.main([*arguments, "--json"])
    said = capsys.readouterr()
    [line] = said.err.splitlines()
    assert isinstance(end.value.code, int)
    return end.value.code, line, json.loads(said.out)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("lab = []\n", "no hosts in this inventory; add one"),
        ("", "no hosts in this inventory; add one"),
        ("lab = {'vm': {}}\n", "no hosts in this inventory; add one"),
        ("lab = [5]\n", "no hosts in this inventory; add one"),
        ("lab = [('vm', 5)]\n", "is no list of hosts ("),
        ("lab = [('vm',)]\n", 'write each host as "name" or as ("name", {...its data})'),
        ("lab = [('', {})]\n", "is no list of hosts ("),
        ("lab = [\n", "line 1: '[' was never closed; correct that line"),
        ("hosts:\n  - vm\n", "line 1: invalid syntax; correct that line"),
        ("lab = [vm]\n", "NameError: name 'vm' is not defined"),
        ("import nowhere\n", "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise RuntimeError('one\\ntwo')\n", "one"),
        ("import sys; sys.exit(0)\n", "ends the program (0); take that out"),
        ("lab = ['\udce9']\n", "cannot be read ("),
    ],
)
@pytest.mark.parametrize("command", ["check", "apply"])
def test_a_file_that_is_no_inventory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str, command: str
) -> None:
    path = tmp_path / "machines.py"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    code, line, document = answer(capsys, command, str(path))
    assert line.startswith(str(path))
    assert words in line
    assert (code, document["exit"], document["error"]) == (3, 3, line)


def test_settings_that_are_no_python_are_named_by_their_own_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "machines.py").write_text("lab = ['vm']\n")
    (tmp_path / "group_data").mkdir()
    settings = tmp_path / "group_data" / "lab.py"
    for text, words in (
        ("base = {\n", "line 1: '{' was never"),
        ("base = (\n x)\n", "line 2: NameError: name"),
    ):
        settings.write_text(text)
        code, line, _ = answer(capsys, "plan", str(tmp_path / "machines.py"))
        assert code == 3
        assert line.startswith(str(settings))
        assert words in line


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere.py"], 1, "nowhere.py: no such inventory; known: inventories/example.py"),
        (["./nowhere"], 1, "./nowhere: no such inventory"),
        (["nowhere"], 1, "nowhere: no such inventory; known: inventories/example.py"),
        (["@nowhere/x"], 1, "Invalid connector: nowhere"),
        (
            ["inventories/example.py", "--limit", "nobody"],
            1,
            "--limit nobody: no such host or group; known: claw-vm, example",
        ),
        (
            ["inventories/example.py", "--limit", "claw-vm", "--limit", "clawvm"],
            1,
            "--limit clawvm: no such host or group; known: claw-vm, example",
        ),
    ],
)
def test_what_is_not_there(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    found, line, document = answer(capsys, "plan", *arguments)
    assert (found, document["exit"]) == (code, code)
    assert words in line


@pytest.mark.parametrize("role", ["nothing", "base,nothing", ""])
def test_a_role_that_is_none_is_wrong_usage(capsys: pytest.CaptureFixture[str], role: str) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["plan", "inventories/example.py", "--json", "--role", role])
    said = capsys.readouterr()
    assert end.value.code == 64
    assert "is no role; there are base, storage" in said.err
    assert json.loads(said.out)["exit"] == 64


@pytest.mark.parametrize(
    ("up", "wanted", "words"),
    [
        ([], None, "or name your inventory: inventories/example.py"),
        (["one", "two"], None, "2 labs are up (one, two)"),
        (["one"], "other", "there is no lab 'other'"),
    ],
)
def test_without_the_one_lab_that_is_meant(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    up: list[str],
    wanted: str | None,
    words: str,
) -> None:
    box = lab.Lab("", "container", "trixie", 22, (), Path("/nowhere"), ready=True)
    labs = [lab.Lab(**(vars(box) | {"name": name})) for name in up]
    monkeypatch.setattr("clup.lab.lookup.running", lambda: labs)
    monkeypatch.delenv("CLUP_LAB", raising=False)
    if wanted:
        monkeypatch.setenv("CLUP_LAB", wanted)
    code, line, _ = answer(capsys, "plan", *["inventories/lab.py"] * bool(wanted))
    assert code == 1
    assert words in line
    assert "clup lab up" in line or "CLUP_LAB" in line or "there are: " in line
