from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from clup import lab
from tests.faults.disks.vm_kinds import KINDS, PACKAGES
from tests.faults.disks.vm_machine import HUGE
from tests.lab.command import on_machine
from tests.lab.machines import machine

# Nobody may use the swap that is one of the kinds, nor take two disks for two paths.
_PREPARE = """
sysctl -q vm.swappiness=0
systemctl disable -q --now multipathd.socket multipathd.service
"""


@pytest.fixture(autouse=True)
def _root() -> None:
    if os.geteuid() != 0:
        pytest.skip("loop devices can only be made by root")


@pytest.fixture(scope="package")
def vm(request: pytest.FixtureRequest) -> Iterator[lab.Lab]:
    """One virtual machine for all that is run together, with the disks of all kinds, blank.

    It is named after the first file: `clup test` runs each by itself, side by side.
    """
    file = request.session.items[0].path.stem.removeprefix("test_vm_").replace("_", "-")
    disks = (*(kind.disk for kind in KINDS), HUGE)
    with machine(f"disks-{file}", disks, kind="vm", packages=PACKAGES) as box:
        on_machine(box, _PREPARE)
        yield box


@pytest.fixture(scope="package")
def box(vm: lab.Lab) -> lab.Lab:
    """The machine without the disks of all kinds, which every reading would read again."""
    for kind in KINDS:
        lab.disk_detach(vm.name, kind.disk.id)
    return vm
