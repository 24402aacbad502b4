"""Programs of `clup.machine`, sent to the machine and run there without leaving a file."""

from __future__ import annotations

import base64
import io
import zipfile
from functools import cache
from pathlib import Path, PurePath

from pyinfra.api.command import StringCommand

import clup
import services
from clup.command import script, sh

# The modules travel as a zip on stdin, a line of base64, and are imported from memory: nothing to
# install, nothing to clean up, and what runs is always what this checkout holds. What follows that
# line is the program's own input.
BOOT = (
    "import base64, os, runpy, sys\n"
    "modules = os.memfd_create('clup.zip')\n"
    "os.write(modules, base64.b64decode(sys.stdin.buffer.readline()))\n"
    "sys.path.insert(0, f'/proc/self/fd/{modules}')\n"
    "del sys.argv[0]\n"
    "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)\n"
)


# A program that only reads is sent among the arguments: facts have no input. A bare machine has no
# Python yet, and then says "null".
_READ = 'if ! command -v python3 >/dev/null; then echo null; exit; fi; exec python3 -I -c "$@"'
_BOOT_READING = BOOT.replace("sys.stdin.buffer.readline()", "sys.argv.pop(1)")

# A program that changes something, or answers at length, needs Python: where the role that installs
# it was never applied, the machine would say no more than "not found".
_RUN = (
    "if ! command -v python3 >/dev/null; then"
    ' echo "the machine has no python3, which clup needs; apply the role base first" >&2; exit 127;'
    ' fi; exec python3 -I -c "$@"'
)

SHARED = ("clup/masking.py", "clup/compose/secret.py", "services/jobs/secret.py")
"""What programs use besides `clup.machine`: modules of the standard library alone."""

_TOPS = {"clup": Path(clup.__path__[0]), "services": Path(services.__path__[0])}


def source(module: str) -> Path:
    """Given a module's path from its top package on, such as clup/masking.py, return its file."""
    top, _, rest = module.partition("/")
    return _TOPS[top] / rest


def program(
    name: str, *arguments: str, given: str = "", timeout: int | None = None
) -> StringCommand:
    """Return the command that runs `clup.machine.NAME` on the machine.

    `given` is its input, `timeout` is in seconds.
    """
    return sh(*words(name, *arguments), stdin=packed() + given, timeout=timeout)


def words(name: str, *arguments: str) -> list[str]:
    """Return the words that run `clup.machine.NAME`, whose input begins with `packed()`."""
    return ["sh", "-c", _RUN, "sh", BOOT, f"clup.machine.{name}", *arguments]


def reading(name: str, *arguments: str, shared: tuple[str, ...] = ()) -> StringCommand:
    """Return the command of a fact that runs `clup.machine.NAME`, which only reads.

    It may use no more than the modules that are named.
    """
    modules = zipped((f"clup/machine/{name}.py", *shared)).strip()
    return script(_READ, _BOOT_READING, modules, f"clup.machine.{name}", *arguments)


def packed() -> str:
    """Return the modules of `clup.machine` and SHARED as a zip, a line of base64."""
    names = sorted(path.name for path in source("clup/machine").glob("[!_]*.py"))
    return zipped((*(f"clup/machine/{name}" for name in names), *SHARED))


@cache
def zipped(modules: tuple[str, ...]) -> str:
    """Given paths of modules, return these as a zip, the same for the same sources."""
    held = io.BytesIO()
    packages = {str(parent) for path in modules for parent in PurePath(path).parents} - {"."}
    with zipfile.ZipFile(held, "w") as archive:
        for package in sorted(packages):
            archive.writestr(zipfile.ZipInfo(f"{package}/__init__.py"), "")
        for path in modules:
            data = source(path).read_bytes()
            archive.writestr(zipfile.ZipInfo(path), data, zipfile.ZIP_DEFLATED)
    return base64.b64encode(held.getvalue()).decode() + "\n"
