"""Ctrl-C ends the command, whichever greenlet is running when it comes."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from clup.cli import Interrupted, _interrupt

SCRIPT = """
import pyinfra_cli, gevent, os, signal, threading
from clup.cli import Interrupted, _interrupt

signal.signal(signal.SIGINT, _interrupt)

def reads_a_connection():
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(10):
        gevent.sleep(0.01)

{sender}
try:
    gevent.sleep(5)
except Interrupted:
    print("interrupted")
"""

SENDERS = {
    # As paramiko reads: what is raised in a thread, threading prints and forgets.
    "a connection's thread": "threading.Thread(target=reads_a_connection).start()",
    "the hub, as all wait": (
        "signal.signal(signal.SIGALRM, _interrupt); signal.setitimer(signal.ITIMER_REAL, 0.1)"
    ),
}


@pytest.mark.parametrize("sender", SENDERS.values(), ids=SENDERS.keys())
def test_the_command_itself_is_interrupted(sender: str) -> None:
    argv = [sys.executable, "-c", SCRIPT.replace("{sender}", sender)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout == "interrupted\n", done.stderr


LOST = """
import signal, sys, time, weakref
from clup import cli

class Module: ...

def called_back(_):
    signal.raise_signal(signal.SIGINT)

def main(*_, **__):
    module = Module()
    reference = weakref.ref(module, called_back)
    del module
    time.sleep(5)

cli.group.main = main
cli.main(["plan"])
"""


def test_an_interrupt_that_cannot_be_raised_comes_again() -> None:
    """As while modules are imported: importlib drops its locks in callbacks."""
    argv = [sys.executable, "-c", LOST]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (1, "clup: interrupted\n")


def test_it_ends_also_while_gevent_is_being_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gevent", ModuleType("gevent"))
    with pytest.raises(Interrupted):
        _interrupt(2, None)
