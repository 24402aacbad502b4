"""The real command, as an operator runs it, with --json."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clup import lab
from clup.lab.keys import quoted
from tests.lab import warm

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """How a command ended: its exit code, its document, and what it told the operator."""

    exit: int
    document: dict[str, Any]
    stderr: str

    def operations(self, status: str) -> set[str]:
        """The operations with this status, each as "role: name", of all hosts."""
        return {
            f"{operation['role']}: {operation['name']}"
            for host in self.document["hosts"].values()
            for operation in host.get("operations", [])
            if operation["status"] == status
        }

    def checks(self, status: str) -> list[str]:
        """What the checks with this status are about, of all hosts."""
        return [
            f"{check['what']}: {check['found']}"
            for host in self.document["hosts"].values()
            for results in host["checks"].values()
            for check in results
            if check["status"] == status
        ]


def clup(name: str, *arguments: str) -> Answer:
    """Run a clup command with --json against one lab; a document must come whatever happens."""
    words = [*arguments, "--json"]
    environment = os.environ | {"CLUP_LAB": name}
    run = warm.run if arguments[0] in warm.COMMANDS else _run
    status, stdout, stderr = run(words, environment)
    assert "Traceback" not in stderr, stderr
    return Answer(status, json.loads(stdout), stderr)


def _run(words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
    argv = [sys.executable, "-P", "-m", "clup", *words]
    done = subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def over_ssh(box: lab.Lab, words: Sequence[str]) -> list[str]:
    """Return the command line for words on a lab machine, over a connection that is kept for those
    that follow: a login costs an emulated machine most of a second."""
    program, *rest = lab.ssh_argv(box, words)
    kept = {
        "ControlMaster": "auto",
        "ControlPath": quoted(box.folder / "ssh"),
        "ControlPersist": "60",
    }
    return [program, *(word for each in kept.items() for word in ("-o", "=".join(each))), *rest]


def on_machine(box: lab.Lab, script: str) -> str:
    """Run a script as root on a lab machine and return what it printed."""
    argv = over_ssh(box, ["sudo", "sh", "-eus"])
    done = subprocess.run(argv, input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{script}\n{done.stderr}"
    return done.stdout
