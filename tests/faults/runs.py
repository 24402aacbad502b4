"""Runs of the real command that go wrong: the inventories for them, and what they told."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from clup import lab
from tests.lab.command import ROOT, Answer

PROGRESS = re.compile(r" *[0-9]+\.[0-9] s  |  [+~=.x!] ")
"""How the lines begin that tell of progress; every other line is about something wrong."""


def way_to(box: lab.Lab, **other: Any) -> dict[str, Any]:
    """Return the data by which a lab is reached, with what differs from it."""
    return {
        "ssh_hostname": box.address,
        "ssh_port": box.port,
        "ssh_user": box.user,
        "ssh_key": str(box.key_file),
        "ssh_known_hosts_file": str(box.known_hosts_file),
        "ssh_strict_host_key_checking": "yes",
        **other,
    }


def inventory(folder: Path, **hosts: dict[str, Any]) -> str:
    """Given the data of hosts by name, write an inventory of theirs; return its path."""
    path = folder / "machines.py"
    path.write_text(f"lab = {list(hosts.items())!r}\n", encoding="utf-8")
    return str(path)


def told(answer: Answer) -> list[str]:
    """Return the lines on stderr that are not about progress."""
    return [line for line in answer.stderr.splitlines() if not PROGRESS.match(line)]


def only_line(answer: Answer, host: str) -> str:
    """Return the one line of a run in which one host failed; the document says the same."""
    assert answer.exit == 1, answer.stderr
    lines = told(answer)
    assert len(lines) == 1, answer.stderr
    errors = answer.document["hosts"][host]["errors"]
    assert [line.removeprefix(f"{host}: ") for line in errors] == [
        lines[0].removeprefix(f"{host}: ")
    ]
    assert lines[0].startswith(f"{host}")
    return lines[0]


def begin(name: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a clup command with --json against one lab, to be interrupted or overtaken."""
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "clup", *arguments, "--json"],
        cwd=ROOT,
        env=os.environ | {"CLUP_LAB": name},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(run: subprocess.Popen[str], words: str) -> str:
    """Read what a run says until these words come; return the line that they are in."""
    assert run.stderr is not None
    for line in run.stderr:
        if words in line:
            return line
    raise AssertionError(f"the run ended without {words!r}")


def ended(run: subprocess.Popen[str]) -> Answer:
    """Wait for a run's end; return its answer, with what it said since it was last listened to."""
    stdout, stderr = run.communicate(timeout=120)
    assert "Traceback" not in stderr, stderr
    return Answer(run.returncode, json.loads(stdout), stderr)
