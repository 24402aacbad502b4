"""Which kind of lab is made where nobody says."""

import pytest

from clup.lab.choice import preferred

NO_KVM, NO_DOCKER = "there is no /dev/kvm", "there is no Docker for a container"


@pytest.mark.parametrize(
    ("no_kvm", "no_containers", "expected"),
    [
        (None, None, ("vm", "KVM runs its kernel")),
        (None, NO_DOCKER, ("vm", "KVM runs its kernel")),
        (NO_KVM, None, ("container", NO_KVM)),
        (NO_KVM, NO_DOCKER, ("vm", f"emulated, as {NO_KVM}, and {NO_DOCKER}")),
    ],
)
def test_the_best_kind_is_chosen_and_why(
    no_kvm: str | None, no_containers: str | None, expected: tuple[str, str]
) -> None:
    assert preferred(no_kvm, no_containers) == expected
