from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from clup import lab
from tests.faults.disks.vm_kinds import PACKAGES
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


@pytest.fixture(scope="module")
def box(request: pytest.FixtureRequest) -> Iterator[lab.Lab]:
    """A virtual machine for a file of tests, named after it, with the disks that it says it needs.

    Each disk more is read at every reading of the machine.
    """
    file = request.path.stem.removeprefix("test_vm_").replace("_", "-")
    with machine(f"disks-{file}", request.module.DISKS, kind="vm", packages=PACKAGES) as box:
        on_machine(box, _PREPARE)
        yield box
