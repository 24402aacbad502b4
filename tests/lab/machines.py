"""Lab machines of a test's own, and one role's commands on them with settings of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from clup import lab
from tests.lab.command import Answer, clup


@contextmanager
def machine(name: str, disks: tuple[lab.Disk, ...] = lab.DEFAULT_DISKS) -> Iterator[lab.Lab]:
    """Given a name, lend a new lab machine of that name; what an earlier run left goes first."""
    _remove(name)
    try:
        yield lab.up(name, disks=disks)
    finally:
        _remove(name)


def _remove(name: str) -> None:
    if name in {box.name for box in lab.labs()}:
        lab.down(name)


def run(box: lab.Lab, command: str, role: str, settings: Mapping[str, Any]) -> Answer:
    """Run a clup command for one role on one lab, with these settings over those of labs."""
    data = {
        "ssh_hostname": box.address,
        "ssh_port": box.port,
        "ssh_user": box.user,
        "ssh_key": str(box.key_file),
        "ssh_known_hosts_file": str(box.known_hosts_file),
        "ssh_strict_host_key_checking": "yes",
        role: settings,
    }
    inventory = box.folder / "machines.py"
    inventory.write_text(f"lab = [({box.name!r}, {data!r})]\n")
    return clup(box.name, command, str(inventory), "--role", role)
