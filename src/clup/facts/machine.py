"""What kind of machine this is: its distribution, and what it runs in."""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script


@dataclass(frozen=True)
class MachineState:
    """`system`, `version` and `codename` are those of os-release, such as "debian", "13", "trixie".

    `container` and `hypervisor` are systemd-detect-virt's words, such as "docker" and "microsoft"
    (Hyper-V), or "none". A container's hypervisor is that of its host, and so "none" here.
    """

    system: str
    version: str
    codename: str
    container: str
    hypervisor: str

    @property
    def is_container(self) -> bool:
        """Whether the kernel and its clock are another machine's."""
        return self.container != "none"

    @property
    def is_hyperv(self) -> bool:
        """Whether it is a virtual machine of Hyper-V."""
        return self.hypervisor == "microsoft"


class Machine(FactBase[MachineState]):
    """Return what kind of machine this is."""

    def command(self) -> StringCommand:
        # systemd-detect-virt ends with 1 when it says "none".
        return script(
            'set -u; . /etc/os-release; echo "$ID"; echo "$VERSION_ID"; '
            'echo "${VERSION_CODENAME:-unknown}"; '
            "systemd-detect-virt --container; systemd-detect-virt --vm; true"
        )

    def process(self, output: list[str]) -> MachineState:
        system, version, codename, container, hypervisor = output
        if container != "none":
            hypervisor = "none"
        return MachineState(system, version, codename, container, hypervisor)
