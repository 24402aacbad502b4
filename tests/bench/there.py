"""Lab machines of benchmarks, and programs that run on them: no ssh is in their figures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType

from clup import lab
from tests.bench import memory
from tests.lab import runner_machine
from tests.lab.command import on_machine, over_ssh


@contextmanager
def machine(name: str) -> Iterator[lab.Lab]:
    """Given a name, lend a new lab machine of that name with guard, runner and jobs. What is told
    of its making is no figure, and goes to stderr."""
    with ExitStack() as stack:
        with redirect_stdout(sys.stderr):
            box = stack.enter_context(runner_machine.machine(name))
        yield box


def begun(box: lab.Lab, program: ModuleType, *words: object) -> subprocess.Popen[str]:
    """Start a program as root on a lab machine, with words that a shell leaves as they are."""
    argv = over_ssh(box, ["sudo", "python3", "-", *map(str, words)])
    with Path(str(program.__file__)).open(encoding="utf-8") as source:
        return subprocess.Popen(argv, stdin=source, stdout=subprocess.PIPE, text=True)


def printed(box: lab.Lab, program: ModuleType, *words: object) -> str:
    """Run a program as `begun` does, and return what it printed. Raise RuntimeError."""
    process = begun(box, program, *words)
    said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{program.__name__} ended with {process.returncode} on {box.name}")
    return said


def pid(box: lab.Lab, container: str) -> int:
    """Return the id of a container's first process on a lab machine."""
    return int(on_machine(box, f"docker inspect -f '{{{{.State.Pid}}}}' {container}"))


def memory_mb(box: lab.Lab, container: str) -> float:
    """Return the memory of a container on a lab machine, without the files that it may forget."""
    return float(printed(box, memory, pid(box, container)).split()[0])
