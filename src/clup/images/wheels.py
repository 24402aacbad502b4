"""Python packages of an image, from a lock of wheels with hashes.

They are unpacked on this machine for the image's Python, so that no container needs a network, a
compiler or the settings of this machine's package index.
"""

from __future__ import annotations

import platform
import sys
import tempfile
from pathlib import Path

from clup.lab.commands import run

PYTHON = "3.13"
"""What the images' suite has."""

_GLIBC = (17, 28, 34, 39)
_SECONDS = 600


def pip_argv(requirements: Path, target: Path, machine: str) -> list[str]:
    """Given a lock, the folder to unpack into and a machine such as x86_64, return the command."""
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in _GLIBC] + [f"linux_{machine}"]
    return [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-deps"),
        *("--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"),
        *("--no-compile", "--implementation", "cp", "--python-version", PYTHON),
        *(word for name in platforms for word in ("--platform", name)),
        *("--target", str(target), "--requirement", str(requirements)),
    ]


def unpacked(requirements: bytes, place: str) -> dict[str, bytes]:
    """Given a lock and where its packages belong in the image, return their files by place. Raise
    LabError when one of them cannot be had."""
    with tempfile.TemporaryDirectory(prefix="clup-wheels-") as folder:
        lock, target = Path(folder) / "requirements.txt", Path(folder) / "wheels"
        lock.write_bytes(requirements)
        cure = "check that pip reaches its package index"
        run(pip_argv(lock, target, platform.machine()), seconds=_SECONDS, cure=cure)
        # Commands are not called by name in an image, and their first line names our Python.
        return {
            f"{place.lstrip('/')}/{path.relative_to(target)}": path.read_bytes()
            for path in sorted(target.rglob("*"))
            if path.is_file() and path.parent != target / "bin"
        }
