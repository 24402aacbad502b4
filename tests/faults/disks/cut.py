"""Run format_disk and lose the power in the middle of it.

Stands between format_disk and the disk as a faulty device would: writes reach the disk only at
fsync. At the write or fsync numbered CUT the power fails: of what was written since the last
fsync none, half or all of the sectors reach the disk (by CUT), then the process is killed.
Usage: cut.py CUT ARGUMENTS-OF-FORMAT_DISK
"""

from __future__ import annotations

import os
import random
import signal
import sys
from unittest.mock import patch

from clup.machine import format_disk

SECTOR = 512
cut = int(sys.argv[1])
events = 0
unsynced: list[tuple[int, int, bytes]] = []
real_pwrite, real_fsync = os.pwrite, os.fsync


def event() -> None:
    global events
    events += 1
    if events == cut:
        chance = random.Random(cut)
        share = (0.0, 0.5, 1.0)[cut % 3]
        for fd, offset, data in unsynced:
            for start in range(0, len(data), SECTOR):
                if chance.random() < share:
                    real_pwrite(fd, data[start : start + SECTOR], offset + start)
        os.kill(os.getpid(), signal.SIGKILL)


def pwrite(fd: int, data: bytes, offset: int) -> int:
    unsynced.append((fd, offset, bytes(data)))
    event()
    return len(data)


def fsync(fd: int) -> None:
    event()
    for target, offset, data in unsynced:
        real_pwrite(target, data, offset)
    unsynced.clear()
    real_fsync(fd)
    event()


with patch.multiple(os, pwrite=pwrite, fsync=fsync):
    status = format_disk.main(sys.argv[2:])
sys.stdout.write(f"events {events}\n")
sys.exit(status)
