"""What a container needs of memory: its control group's, without the files that it may forget."""

from __future__ import annotations

READ = """
import pathlib, sys
for line in pathlib.Path(f"/proc/{sys.argv[1]}/cgroup").read_text().splitlines():
    _, controllers, path = line.split(":", 2)
    for root, usage, key in (
        ("/sys/fs/cgroup/memory", "memory.usage_in_bytes", "total_inactive_file"),
        ("/sys/fs/cgroup", "memory.current", "inactive_file"),
    ):
        group = pathlib.Path(root + path)
        if controllers in ("memory", "") and (group / usage).exists():
            lines = (group / "memory.stat").read_text().splitlines()
            stat = dict(each.split() for each in lines)
            print((int((group / usage).read_text()) - int(stat[key])) / 1e6)
            sys.exit()
sys.exit("this machine's kernel counts no memory of containers")
"""
"""A program that prints the memory of a process's control group in MB of 10**6; takes its id."""
