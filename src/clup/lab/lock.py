"""One command at a time makes or removes labs, and one at a time works on a lab.

A boot may take a minute: it is waited for under the lab's own lock, while others make theirs.
"""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from clup.lab import machine
from clup.lab.commands import inherited
from clup.lab.errors import LabError
from clup.lab.say import Say

WAIT_SECONDS = 900.0

SERVICES = ".services"
"""The name of the lock of services' images. No lab has it: whoever makes labs need not wait for
the minutes that these take."""


@contextmanager
def locked(say: Say, name: str = "") -> Iterator[None]:
    """Hold the lock of all labs, or of the one that is named. Whoever needs both takes that first.

    Raise LabError when another command holds it for WAIT_SECONDS.

    The kernel drops the lock with the process, so a crash leaves none behind. The commands that
    we run inherit it: one that outlives us, killed, is waited for before anybody cleans up.
    """
    machine.FOLDER.mkdir(mode=0o700, exist_ok=True)
    path = machine.FOLDER / (f".lock-{name}" if name else ".lock")
    what = {"": "labs", SERVICES: "images of services"}.get(name, f"lab {name}")
    with path.open("a") as lock:
        end = time.monotonic() + WAIT_SECONDS
        told = False
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise LabError(
                        f"another command works on {what} for more than {WAIT_SECONDS:g} s",
                        str(path),
                        f"`fuser {path}` tells which",
                    ) from None
                if not told:
                    say(f"Waiting for another command that works on {what}.")
                    told = True
                time.sleep(0.1)
        with inherited(lock.fileno()):
            yield
