"""What the machine's programs share: running a tool, telling progress, refusing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

REFUSED = 3
"""The exit status of a program that left the machine as it was."""


class RefusedError(Exception):
    """Why something is left as it is: one line with what was found and what to do."""


class FailedError(Exception):
    """Why something that was begun is not as it should be: one line with the reason."""


@contextmanager
def explained() -> Iterator[None]:
    """End the program for what is raised in it, with one line that says why.

    The status is REFUSED where all was left as it is, else 1.
    """
    try:
        yield
    except RefusedError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(REFUSED)
    except (FailedError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(1)


def run(
    *words: str, fds: tuple[int, ...] = (), seconds: float | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a tool that reads nothing; `fds` are the descriptors that it inherits.

    One that takes longer than `seconds` is ended, with status 124 and a line on stderr.
    """
    path = "/usr/sbin:/usr/bin:/sbin:/bin"
    try:
        return subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            pass_fds=fds,
            env={"PATH": path, "LC_ALL": "C", **env},
            check=False,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        said = f"{words[0]} had not ended after {seconds:.0f} s"
        return subprocess.CompletedProcess(words, 124, "", said)


def say(text: str) -> None:
    """Write a line of progress. A reader that has gone away does not stop the work."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
