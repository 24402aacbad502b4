"""Run clup and have the process die, as by `kill -9`, at a moment of its own counting.

With CLUP_TELLS in the environment it only tells that the moment has come, and goes on: then it is
the machine that is cut. Usage: doomed.py MOMENT NUMBER ARGUMENTS-OF-CLUP, where MOMENT is

- operation: when so many operations have changed something, before the next one begins;
- command: when so many commands that change something have ended, before the next one is sent;
- input: when the command of that number was started and its input was not sent, of those with one;
- running: when the command of that number was sent, before anything it says is read.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
from collections.abc import Callable
from typing import Any

from clup import greenlets  # noqa: F401  isort: skip

from pyinfra.api.state import State
from pyinfra.connectors import ssh

from clup import transport, watch
from clup.transport import guard

moment, number = sys.argv[1], int(sys.argv[2])
passed = 0


def passes() -> None:
    """Note that the moment has come once more, and die if it was the last time."""
    global passed
    passed += 1
    if passed == number and "CLUP_TELLS" in os.environ:
        sys.stderr.write("the moment has come\n")
    elif passed == number:
        os.kill(os.getpid(), signal.SIGKILL)


class Doomed(watch.Events):
    def operation_end(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        done = [state.ops[host].get(op_hash) for host in state.inventory]
        if any(each and each.operation_meta.did_change() for each in done):
            passes()
        super().operation_end(state, op_hash)


def before(module: Any, name: str, then: Callable[[], None]) -> None:
    """Have each call of a function call another one first."""
    real = getattr(module, name)

    def call(*words: Any, **options: Any) -> Any:
        then()
        return real(*words, **options)

    setattr(module, name, call)


def changes() -> None:
    """Note that the next command to be sent changes something."""
    global is_change
    is_change = True


def is_sent() -> None:
    """Note that a command was sent; it counts if it changes something."""
    global is_change
    if is_change:
        is_change = False
        passes()


is_change = False
transport.install()
if moment == "operation":
    watch.Events = Doomed  # type: ignore[misc]
elif moment == "command":
    before(guard, "guarded", passes)
elif moment == "input":
    before(ssh, "write_stdin", passes)
else:
    before(guard, "guarded", changes)
    before(ssh, "read_output_buffers", is_sent)
sys.argv = ["clup", *sys.argv[3:]]
runpy.run_module("clup", run_name="__main__", alter_sys=True)
