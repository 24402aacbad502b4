"""Programs of `clup.machine`, sent to the machine and run there without leaving a file."""

from __future__ import annotations

import base64
import io
import zipfile
from functools import cache
from pathlib import Path

from pyinfra.api.command import StringCommand

import clup.machine
from clup.command import sh

# The modules travel as a zip on stdin and are imported from memory: nothing to install, nothing
# to clean up, and what runs is always what this checkout holds.
BOOT = (
    "import base64, os, runpy, sys\n"
    "modules = os.memfd_create('clup.zip')\n"
    "os.write(modules, base64.b64decode(sys.stdin.buffer.read()))\n"
    "sys.path.insert(0, f'/proc/self/fd/{modules}')\n"
    "del sys.argv[0]\n"
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)\n"
)


def program(name: str, *arguments: str, timeout: int | None = None) -> StringCommand:
    """Return the command that runs `clup.machine.NAME` on the machine; `timeout` in seconds."""
    words = ("python3", "-I", "-c", BOOT, f"clup.machine.{name}", *arguments)
    return sh(*words, stdin=packed(), timeout=timeout)


@cache
def packed() -> str:
    """Return the modules of `clup.machine` as a zip in base64, the same for the same sources."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("clup/__init__.py"), "")
        for path in sorted(Path(clup.machine.__path__[0]).glob("*.py")):
            archive.writestr(zipfile.ZipInfo(f"clup/machine/{path.name}"), path.read_bytes())
    return base64.encodebytes(held.getvalue()).decode()
