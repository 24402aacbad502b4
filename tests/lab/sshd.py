"""A change of sshd on a lab machine, step by step, as a run that is cut may leave it."""

from __future__ import annotations

import base64
import subprocess
import time

from clup import lab
from tests.lab.command import on_machine

LOCKED_OUT = "AllowUsers nobody\n"
ARMED = 45
"""Seconds after which the machine takes a change back that nobody has confirmed."""
TAKEN_BACK_WITHIN = 60
"""Seconds after which a machine that locked its operator out must answer again (the issue)."""


def change(action: str, text: str = "") -> str:
    """Return the shell line of one step of the machine's own program, as the operation calls it."""
    packed = base64.b64encode(text.encode()).decode()
    return f"echo {packed} | /var/lib/clup/sshd/change {action}\n"


def logs_in(box: lab.Lab) -> bool:
    """Whether a fresh login works now, within 20 s."""
    argv = lab.ssh_argv(box, ["true"], batch=True)
    try:
        return subprocess.run(argv, capture_output=True, check=False, timeout=20).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def locked_out_and_back(box: lab.Lab) -> None:
    """Lock the operator out, as a run does that is then killed: the machine lets him in again."""
    on_machine(box, change(f"arm {ARMED}") + change("put", LOCKED_OUT))
    began = tried = time.monotonic()
    assert not logs_in(box)
    # Sooner it is not back, and sshd puts off whoever fails again and again.
    time.sleep(max(0, began + ARMED - time.monotonic()))
    while not logs_in(box):
        time.sleep(2)
        tried = time.monotonic()
        assert tried - began < TAKEN_BACK_WITHIN
