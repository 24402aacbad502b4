"""Runs of clup in processes that have imported its libraries already, which is half of a short run.

A process of this module's imports them once, and becomes another one for each run: that has its own
arguments, environment and output, and goes the way of `python -m clup` from its first line.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = frozenset({"apply", "plan", "verify"})
"""Those that import it all. The others are run as they are."""

_idle: list[subprocess.Popen[str]] = []


def run(words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
    """Run clup with these words; return its exit code, its stdout and its stderr."""
    try:
        warm = _idle.pop()
    except IndexError:
        warm = _begun()
    assert warm.stdin is not None
    assert warm.stdout is not None
    with tempfile.TemporaryDirectory(prefix="clup-warm-") as folder:
        order = {"words": list(words), "environment": dict(environment), "folder": folder}
        warm.stdin.write(f"{json.dumps(order)}\n")
        warm.stdin.flush()
        status = int(warm.stdout.readline())
        _idle.append(warm)
        stdout, stderr = ((Path(folder) / name).read_text() for name in ("stdout", "stderr"))
        return status, stdout, stderr


def _begun() -> subprocess.Popen[str]:
    """Start a process that waits for orders until nobody can give any."""
    return subprocess.Popen(
        [sys.executable, "-P", str(Path(__file__))],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def main() -> None:
    """Fork for each order, a line of JSON on stdin, and answer with the exit status."""
    # Before gevent has its own ways with processes, which would wait in its loop.
    fork, waitpid = os.fork, os.waitpid
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from clup import greenlets  # noqa: F401  isort: skip
    import gevent

    for name in ("clup.deployment", "roles", *(f"clup.cli.{command}" for command in COMMANDS)):
        importlib.import_module(name)

    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        if child := fork():
            _, status = waitpid(child, 0)
            sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
            sys.stdout.flush()
        else:
            gevent.reinit()
            _become(json.loads(line))
            break


def _become(order: Mapping[str, Any]) -> None:
    """Be the run of that order from here on."""
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(f"{order['folder']}/{name}", os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = ["clup", *order["words"]]
    runpy.run_module("clup", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
