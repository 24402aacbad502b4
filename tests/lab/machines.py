"""Lab machines of a test's own, and commands on them with settings of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from clup import lab
from tests.lab.command import Answer, clup

FURNISHED = (
    "python3", "tzdata", "unattended-upgrades", "git", "nftables", "docker.io", "docker-cli",
    "docker-compose", "busybox-static",
)  # fmt: skip
"""What the roles install, and tests need beside it: for machines on which nobody looks at how it
comes there, as that takes longer than all else that the site does."""

DISKS = (lab.Disk("virtio-LABDATA", 256 << 20), lab.Disk("virtio-LABCACHE", 1 << 30))
"""Smaller than a lab's own, as each is read whole before it is formatted."""


@contextmanager
def machine(
    name: str,
    disks: tuple[lab.Disk, ...] = lab.DEFAULT_DISKS,
    kind: str = "container",
    packages: tuple[str, ...] = (),
) -> Iterator[lab.Lab]:
    """Given a name, lend a new lab machine of that name; what an earlier run left goes first."""
    _remove(name)
    try:
        yield lab.up(name, kind, disks, packages=packages)
    finally:
        _remove(name)


@contextmanager
def converged(name: str) -> Iterator[lab.Lab]:
    """Given a name, lend a new lab machine of that name on which the whole site was applied."""
    with machine(name, DISKS, packages=FURNISHED) as box:
        first = clup(name, "apply", "inventories/lab.py")
        assert first.exit == 0, first.stderr
        yield box


def _remove(name: str) -> None:
    if name in lab.recorded():
        lab.down(name)


def run(box: lab.Lab, command: str, role: str, settings: Mapping[str, Any]) -> Answer:
    """Run a clup command for one role on one lab, with these settings over those of labs."""
    return clup(box.name, command, inventory(box, {role: settings}), "--role", role)


def inventory(box: lab.Lab, settings: Mapping[str, Any], group: str = "lab") -> str:
    """Given a lab and settings by role, write an inventory in which they are over its group's."""
    data = {
        "ssh_hostname": box.address,
        "ssh_port": box.port,
        "ssh_user": box.user,
        "ssh_key": str(box.key_file),
        "ssh_known_hosts_file": str(box.known_hosts_file),
        "ssh_strict_host_key_checking": "yes",
        **settings,
    }
    path = box.folder / "machines.py"
    path.write_text(f"{group} = [({box.name!r}, {data!r})]\n")
    return str(path)
