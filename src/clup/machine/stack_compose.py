"""Compose and the logs of containers, as a stack's programs use them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from clup.machine.process import run
from clup.masking import masked

LOG_LINES = 5


def compose(
    name: str, folder: Path, file: str, *words: str, seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """Run Compose for a project of that name, whose folder and file are given."""
    place = ("--project-name", name, "--project-directory", str(folder), "--file", file)
    return run(
        "docker", "compose", "--ansi", "never", "--progress", "plain", *place, *words,
        seconds=seconds, HOME="/root",
    )  # fmt: skip


def last_words(container: str) -> str:
    """Return the last lines of a container's log on one line, with what looks secret masked."""
    said = run("docker", "logs", "--tail", str(LOG_LINES), container, seconds=20)
    return _joined(said.stdout + said.stderr, LOG_LINES) or "nothing"


def reason(stderr: str) -> str:
    """Return why a command failed, on one line, with what looks secret masked."""
    return _joined(stderr, 3) or "it gave no reason"


def _joined(text: str, most: int) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return masked(" | ".join(lines[-most:]))
