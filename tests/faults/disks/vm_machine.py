"""The virtual machine of the disk matrix: its disks, what is on them, and clup's runs on it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from clup import lab
from clup.lab import Disk
from roles.layout.settings import FOLDERS
from tests.faults.disks.loops import MIB
from tests.lab.command import Answer, clup, on_machine
from tests.lab.machines import inventory

HUGE = Disk("virtio-HUGE", 1 << 40)
JUDGED = "Judge every disk"
WAIVER = {"reason": "new from the shop", "owner": "ops", "expires": "2999-12-31"}

Filesystems = Mapping[str, Mapping[str, Any]]


def storage(box: lab.Lab, command: str, filesystems: Filesystems) -> Answer:
    """Run a command for role storage with these filesystems, and no others."""
    mount = f"/srv/{next(iter(filesystems))}"
    settings = {
        "_sudo": True,
        "storage": {"filesystems": filesystems},
        # What other roles want of the filesystems has to fit.
        "engine": {
            "requires_mount": mount,
            "data_root": f"{mount}/docker",
            "containerd_root": f"{mount}/containerd",
        },
        "layout": {"roots": [mount], "folders": dict.fromkeys(FOLDERS)},
    }
    return clup(box.name, command, inventory(box, settings, "matrix"), "--role", "storage")


def apply_and(box: lab.Lab, filesystems: Filesystems, act: Callable[[], object]) -> Answer:
    """Apply role storage with these filesystems, and act while that runs."""
    with ThreadPoolExecutor(1) as pool:
        apply = pool.submit(storage, box, "apply", filesystems)
        act()
        return apply.result()


def when_read(box: lab.Lab, selected: str, script: str) -> str:
    """Run a script as root, its $pid the proof, when that has read some of a disk of many GiB.

    Given how the settings select the disk: a by-id name, a serial or a WWN.
    """
    return on_machine(
        box,
        f"""for _ in $(seq 900); do
    for io in $(grep -lzx -- '[{selected[0]}]{selected[1:]}' /proc/[0-9]*/cmdline 2>/dev/null |
            sed 's/cmdline$/io/'); do
        read=$(sed -n 's/^rchar: //p' "$io" 2>/dev/null) || continue
        if [ "${{read:-0}}" -gt {64 * MIB} ]; then pid=${{io#/proc/}}; break 2; fi
    done
    sleep 0.1
done
pid=${{pid:?no proof has begun}}; pid=${{pid%/io}}
{script}""",
    )


def hashes(box: lab.Lab, disks: Iterable[Disk]) -> dict[str, str]:
    """Return the hash of the whole of each disk, as the machine has written it."""
    on_machine(box, "sync")
    found = {}
    for disk in disks:
        with box.disk_file(disk.id).open("rb") as content:
            found[disk.id] = hashlib.file_digest(content, "sha256").hexdigest()
    return found


def told(answer: Answer, operation: str) -> list[str]:
    """Return what an operation found, and what it refused or why it failed, line by line."""
    (host,) = answer.document["hosts"].values()
    (found,) = [one for one in host["operations"] if one["name"] == operation]
    return [*found["evidence"], *found["error"].splitlines()]


def make(name: str) -> str:
    """Return the operation that makes a filesystem."""
    return f"Make or adopt the filesystem CLAW_{name.upper()}"


def about(lines: Iterable[str], name: str) -> str:
    """Return the one line that is about a filesystem."""
    (line,) = [one for one in lines if re.match(rf"{name}: ", one)]
    return line


def sha256(box: lab.Lab, path: str) -> str:
    """Return the hash of the whole of a disk, as the machine reads it afresh."""
    return on_machine(box, f"blockdev --flushbufs {path}; sha256sum <{path}").split()[0]
