"""What a container needs of memory: its control group's, without the files that it may forget.

    python3 - PID [SECONDS]

Runs on the machine of the container, and takes the id of a process in it. Prints a line of two
figures in MB of 10**6: that memory, and how much of it are anonymous pages; with SECONDS, a line
each time that so many have passed, until it is ended.
"""

import re
import sys
import time
from pathlib import Path

_ROOTS = (
    # Of version 1, then of version 2: where, which file, which names in memory.stat.
    ("/sys/fs/cgroup/memory", "memory.usage_in_bytes", "total_inactive_file", "total_rss"),
    ("/sys/fs/cgroup", "memory.current", "inactive_file", "anon"),
)


def memory(pid: int) -> tuple[float, float]:
    """Given a process, return its control group's memory without inactive files, and its anonymous
    pages, in MB. Raise FileNotFoundError when it is gone or nothing counts them."""
    groups = Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii")
    for controllers, path in re.findall(r"^\d+:(.*?):(.*)$", groups, re.MULTILINE):
        for root, usage, inactive, anonymous in _ROOTS:
            group = Path(root + path)
            if controllers in ("memory", "") and (group / usage).exists():
                lines = (group / "memory.stat").read_text(encoding="ascii").splitlines()
                stat = {name: int(value) for name, value in map(str.split, lines)}
                used = int((group / usage).read_text(encoding="ascii")) - stat[inactive]
                return used / 1e6, stat[anonymous] / 1e6
    raise FileNotFoundError("this machine's kernel counts no memory of containers")


def main(pid: int, seconds: float | None = None) -> None:
    """Print what the module says."""
    while True:
        sys.stdout.write("{:.2f} {:.2f}\n".format(*memory(pid)))
        sys.stdout.flush()
        if seconds is None:
            return
        time.sleep(seconds)


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(float, sys.argv[2:]))
