"""The command on the machine itself: a fresh Debian 13, an account with sudo, `@local`.

The libraries come as wheels that this machine's pip fetched, through pip's own configuration: the
launcher is the one that operators use.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clup import lab
from tests.lab.command import ROOT, on_machine
from tests.lab.machines import machine

NAME = "local"

INVENTORY = """
lab = [("@local", {})]
"""

PIP = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--quiet"]


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine(NAME) as made:
        yield made


def unpack(box: lab.Lab, folder: Path, into: str, *names: str) -> None:
    """Copy files of a folder into a folder of the operator's on the machine."""
    pack = ["tar", "-C", str(folder), "-cz", *names]
    packed = subprocess.run(pack, capture_output=True, check=True).stdout
    line = f"mkdir -p {into} && tar -xz -C {into}"
    subprocess.run(lab.ssh_argv(box, [line]), input=packed, check=True)


def on_it(box: lab.Lab, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line as the operator, in the checkout on the machine."""
    wheels = "PIP_NO_INDEX=1 PIP_FIND_LINKS=$HOME/wheels"
    argv = lab.ssh_argv(box, [f"cd 'my clup' && {wheels} {line}"])
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_a_machine_converges_itself(box: lab.Lab, tmp_path: Path) -> None:
    fetch = [sys.executable, "-m", "pip", "download", *PIP, "--python-version", "3.13"]
    subprocess.run([*fetch, "-r", ROOT / "requirements.txt", "-d", tmp_path], check=True)
    unpack(box, tmp_path, "wheels", ".")
    listed = [
        "git",
        "-C",
        str(ROOT),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    names = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split("\0")
    unpack(box, ROOT, "'my clup'", *[name for name in names if name and (ROOT / name).exists()])
    on_machine(box, f"cat >'/home/operator/my clup/inventories/here.py' <<'END'{INVENTORY}END")

    applied = on_it(box, "./clup apply inventories/here.py --json")
    assert applied.returncode == 0, applied.stderr
    assert "python3 python3-venv" in applied.stderr
    document = json.loads(applied.stdout)["hosts"]["@local"]
    assert document["changed"] >= 40

    again = on_it(box, "./clup apply inventories/here.py --json")
    assert json.loads(again.stdout)["hosts"]["@local"]["changed"] == 0
    assert on_it(box, "./clup plan inventories/here.py").returncode == 0
    assert on_it(box, "./clup verify inventories/here.py").returncode == 0
