"""What kind of machine it is, from outputs recorded there."""

from __future__ import annotations

import pytest

from clup.facts.machine import Machine, MachineState


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (
            ["debian", "13", "trixie", "docker", "kvm"],
            MachineState("debian", "13", "trixie", "docker", "none"),
        ),
        (
            ["ubuntu", "24.04", "noble", "none", "microsoft"],
            MachineState("ubuntu", "24.04", "noble", "none", "microsoft"),
        ),
    ],
)
def test_a_container_has_no_hypervisor_of_its_own(
    output: list[str], expected: MachineState
) -> None:
    found = Machine().process(output)
    assert found == expected
    assert found.is_container == (expected.container != "none")
    assert found.is_hyperv == (expected.hypervisor == "microsoft")
