"""Which kind of lab is made where nobody says."""

import pytest

from clup.lab import choice
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


@pytest.mark.parametrize(
    ("kind", "no_kvm", "expected"),
    [("vm", None, False), ("vm", "there is no /dev/kvm", True), ("container", "none", False)],
)
def test_a_machine_is_emulated_when_it_is_virtual_without_kvm(
    kind: str, no_kvm: str | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "without_kvm", lambda *_: no_kvm)
    assert choice.is_emulated(kind, print, lambda _question: True) is expected


def test_the_choice_and_its_reason_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "kept", lambda _name: None)
    monkeypatch.setattr(choice, "without_kvm", lambda *_: NO_KVM)
    monkeypatch.setattr(choice, "without_containers", lambda: None)
    said: list[str] = []
    assert choice.fitting_kind("mine", said.append, lambda _question: True) == "container"
    assert said == [f"The lab is a container: {NO_KVM}."]
