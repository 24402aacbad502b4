"""Programs that are sent to a machine: run from memory; one without Python says so."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from clup.operations import programs
from clup.transport.raw import Answer


def run(path: str, *words: str) -> Answer:
    """Run words with only the programs of a folder, and what a program of clup's begins with."""
    done = subprocess.run(
        [shutil.which("sh") or "sh", *words[1:]],
        env={"PATH": path}, input=programs.packed().encode(), capture_output=True, check=False,
    )  # fmt: skip
    return Answer(done.returncode, done.stdout, done.stderr)


def test_a_program_runs_from_its_input() -> None:
    answer = run(os.environ["PATH"], *programs.words("image_reading"))
    assert (answer.status, json.loads(answer.stdout)["there"]) == (0, [])


def test_a_machine_without_python_names_the_cure(tmp_path: Path) -> None:
    answer = run(str(tmp_path), *programs.words("image_reading"))
    assert answer.status == 127
    assert answer.error == "the machine has no python3, which clup needs; apply the role base first"
