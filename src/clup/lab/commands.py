"""Run one command on the operator's machine, with a deadline and a plain error."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from clup.lab.errors import LabError

# losetup and dockerd live where the PATH of an account other than root does not lead.
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
_inherited: set[int] = set()


@contextmanager
def inherited(descriptor: int) -> Iterator[None]:
    """Given an open file's descriptor, pass it on to the commands that run meanwhile."""
    _inherited.add(descriptor)
    try:
        yield
    finally:
        _inherited.discard(descriptor)


def environment() -> dict[str, str]:
    """Return our environment, with a PATH on which everything is found."""
    return {**os.environ, "PATH": PATH}


def there(command: str) -> bool:
    """Given a command, or the path of a file, return whether this machine has it."""
    if command.startswith("/"):
        return Path(command).is_file()
    return shutil.which(command, path=PATH) is not None


def as_root(argv: Sequence[str], uid: int | None = None) -> list[str]:
    """Given a command, return it so that it runs as root: through sudo unless we are root."""
    return [*([] if (os.geteuid() if uid is None else uid) == 0 else ["sudo"]), *argv]


def run(
    argv: Sequence[str],
    *,
    cure: str,
    stdin: bytes | None = None,
    into: IO[bytes] | None = None,
    seconds: float = 60,
    cwd: Path | None = None,
    inherits: bool = True,
) -> str:
    """Given a command and the cure to print should it fail, run it and return its stdout, unless
    that goes `into` a file.

    One that leaves a process behind must not inherit what our commands do otherwise. Raise
    LabError when it is not there, takes longer than `seconds` or exits non-zero.
    """
    where = f"`{brief(argv)}`"
    try:
        done = subprocess.run(
            argv,
            input=b"" if stdin is None else stdin,
            stdout=into or subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=tuple(_inherited) if inherits else (),
            cwd=cwd,
            env=environment(),
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise LabError(f"there is no command {argv[0]!r} here", where, cure) from None
    except subprocess.TimeoutExpired:
        raise LabError(f"no end after {seconds:g} s", where, cure) from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
        reason = " / ".join(said) or "said nothing"
        raise LabError(f"exit {done.returncode}, {reason}", where, cure)
    return "" if into else done.stdout.decode(errors="replace")


def brief(argv: Sequence[str], characters: int = 90) -> str:
    """Given a command, return it as one would type it, cut to what a line of a message bears."""
    text = shlex.join(argv)
    return text if len(text) <= characters else f"{text[:characters]} ..."


def attempt(argv: Sequence[str], seconds: float) -> subprocess.CompletedProcess[bytes] | None:
    """Given a command, run it and return how it ended: None if it did not start, or not end."""
    try:
        return subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment(),
            timeout=seconds,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None


def succeeds(argv: Sequence[str], seconds: float = 20) -> bool:
    """Given a command, run it and return whether it exists, ended in time and exited with 0."""
    done = attempt(argv, seconds)
    return done is not None and done.returncode == 0


def output(argv: Sequence[str], seconds: float = 20) -> str:
    """Given a command, run it and return its stdout: nothing when it could not be run."""
    done = attempt(argv, seconds)
    return "" if done is None else done.stdout.decode(errors="replace")
