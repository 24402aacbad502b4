"""What a job's program has at hand: the repository that was chosen, and folders of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ARTIFACTS = Path("/work/artifacts")
"""What lies here is kept when the job has ended."""

COULD_NOT = 2
"""The exit code of a job that could not do its work; 1 is that it did, and found fault."""


def repository() -> Path:
    """Return the repository that the job was given. It is read-only, and somebody else's.

    End the job where there is none: nothing is found in what is not there.
    """
    given = Path(os.environ["PARAM_REPOSITORY"])
    if not given.is_dir():
        sys.stderr.write(
            f"there is no repository {given.name!r}; correct repository=, or put it into the"
            " machine's folder of repositories\n"
        )
        sys.exit(COULD_NOT)
    return given


def copied() -> Path:
    """Return a copy of the repository that may be written to, without its history."""
    target = Path.home() / "src"
    shutil.copytree(repository(), target, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    return target


def run(words: Sequence[str], folder: Path) -> int:
    """Run a command in a folder, with its output as the job's, and return its exit code."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(words, cwd=folder, env=environment, check=False).returncode
