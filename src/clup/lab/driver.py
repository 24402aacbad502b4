"""What a kind of lab can do; each kind is a module that does all of it.

Everything is found again by the lab's folder alone, so that a lab whose `up` was cut, or whose
state cannot be read, can be removed like any other.
"""

from pathlib import Path
from typing import Protocol

from clup.lab import container, vm
from clup.lab.errors import LabError
from clup.lab.machine import Disk, Lab
from clup.lab.needs import Need
from clup.lab.say import Say


class Driver(Protocol):
    """The calls by which labs of one kind live and end. All but `running` raise LabError."""

    BOOT_SECONDS: float
    """The most that a machine of this kind may take from its start until it answers ssh."""

    def needed(self) -> tuple[Need, ...]:
        """Return what must be on the operator's machine."""

    def check(self, lab: Lab) -> None:
        """Given a lab that shall be made, raise LabError unless this kind can have its disks."""

    def prepare(self, say: Say) -> None:
        """Start what all labs of this kind need."""

    def make(self, lab: Lab, say: Say) -> None:
        """Given a lab that is written down and has its keys, make its machine and boot it."""

    def start(self, lab: Lab, say: Say) -> None:
        """Given a lab that is stopped, boot it, with its disks as they were."""

    def stop(self, lab: Lab) -> None:
        """Given a lab that runs, shut its machine down cleanly."""

    def cut(self, lab: Lab) -> None:
        """Given a lab that runs, stop its machine as one does whose power fails."""

    def attach(self, lab: Lab, disk: Disk) -> None:
        """Given a lab that runs and a disk, put the disk in, blank if it is new."""

    def detach(self, lab: Lab, disk: Disk) -> None:
        """Given a lab that runs and a disk that it has, pull the disk out."""

    def remove(self, folder: Path, say: Say) -> None:
        """Given a lab's folder, remove all that lies outside it, whatever there is."""

    def after_last(self, say: Say) -> None:
        """End what `prepare` started, now that no lab of any kind is left."""

    def running(self) -> frozenset[Path]:
        """Return the folders of the labs whose machine runs."""

    def last_words(self, lab: Lab) -> str:
        """Given a lab that does not answer, return what its machine said last."""


KINDS: dict[str, Driver] = {"container": container, "vm": vm}


def driver_of(kind: str) -> Driver:
    """Given a kind of lab, return what drives it. Raise LabError if there is no such kind."""
    if kind not in KINDS:
        raise LabError(f"there is no kind {kind!r}", "the lab's kind", f"use {', '.join(KINDS)}")
    return KINDS[kind]
