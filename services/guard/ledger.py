"""The heads of the runner's audit chain, kept where the runner cannot reach.

Whoever cuts the end off the chain cannot cut it off here: the last head that stands in this file is
missing in a chain that was cut.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from services.guard.say import now


class Ledger:
    """A file to which lines are appended, each on the disk before its container is made."""

    def __init__(self, path: Path):
        self._descriptor = os.open(
            path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640
        )

    def note(self, job_id: str, job: str, head: str) -> None:
        """Append a run and the chain's head before it. Raise OSError when it is not on the disk.

        A line that was cut by a full disk is ended, so that the next one stands by itself.
        """
        line = json.dumps({"time": now(), "id": job_id, "job": job, "head": head}) + "\n"
        data = line.encode()
        if os.write(self._descriptor, data) < len(data):
            os.write(self._descriptor, b"\n")
            raise OSError("the disk is full")
        os.fdatasync(self._descriptor)
