"""Which kind of lab serves best on this machine, for whoever does not say."""

from pathlib import Path

from clup.lab import accel, vm, vm_image
from clup.lab.commands import there
from clup.lab.errors import LabError
from clup.lab.lifecycle import SUITE
from clup.lab.lock import locked
from clup.lab.lookup import kept
from clup.lab.machine import checked_name
from clup.lab.needs import ensure, known
from clup.lab.say import Confirm, Say

LOOPS = Path("/dev/loop-control")


def fitting_kind(name: str, say: Say, confirm: Confirm) -> str:
    """Given a lab's name, return the kind that it has, or for a new one the best, and say why."""
    existing = kept(checked_name(name))
    if existing is not None and existing.ready:
        return existing.kind
    kind, why = preferred(without_kvm(SUITE, say, confirm), without_containers())
    say(f"The lab is a {kind}: {why}.")
    return kind


def is_emulated(kind: str, say: Say, confirm: Confirm) -> bool:
    """Given the kind of a lab, return whether its processor is emulated here, which is slow."""
    return kind == "vm" and without_kvm(SUITE, say, confirm) is not None


def preferred(no_kvm: str | None, no_containers: str | None) -> tuple[str, str]:
    """Given why there is no KVM and why no container, None where there is, return kind and why."""
    if no_kvm is None:
        return "vm", "KVM runs its kernel"
    if no_containers is None:
        return "container", no_kvm
    return "vm", f"emulated, as {no_kvm}, and {no_containers}"


def without_kvm(suite: str, say: Say, confirm: Confirm) -> str | None:
    """Given a suite, return why KVM does not run a lab of it, None if it does.

    Where KVM may do, that is tried, with all that a virtual lab needs.
    """
    if (why := accel.closed()) is not None:
        return why
    with locked(say):
        try:
            ensure(vm.needed(), say, confirm)
            vm.prepare(say)
            verdict = accel.judged(vm_image.ensure(suite, (), say), say)
        except LabError as error:
            return f"KVM could not be tried ({error.what})"
    return None if verdict.works else verdict.seen


def without_containers() -> str | None:
    """Return why there can be no container with disks on this machine, None if there can."""
    if not LOOPS.exists():
        return "this machine has no loop devices for a container's disks"
    if not there("dockerd") and not known("docker.io"):
        return "there is no Docker for a container"
    return None
