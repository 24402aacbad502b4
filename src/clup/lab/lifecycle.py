"""A lab's life: up, reboot, down."""

import shutil
import socket
import time
from dataclasses import replace

from clup.lab import keys, machine, needs
from clup.lab.commands import attempt
from clup.lab.driver import KINDS, Driver
from clup.lab.errors import LabError
from clup.lab.keys import ssh_argv
from clup.lab.lock import locked
from clup.lab.lookup import find, kept, unknown
from clup.lab.machine import DEFAULT_DISKS, Disk, Lab
from clup.lab.say import Confirm, Say

BOOT_SECONDS = 90.0


def up(
    name: str = "default",
    kind: str = "container",
    disks: tuple[Disk, ...] = DEFAULT_DISKS,
    say: Say = print,
    *,
    suite: str = "trixie",
    confirm: Confirm = lambda question: True,
) -> Lab:
    """Given a name and what the machine shall be, return a lab that answers ssh.

    A lab that is up already is returned as it is, a stopped one is booted, and one whose `up` was
    cut is made anew. Raise LabError, also when there is a lab of that name with other properties.
    """
    machine.checked_name(name)
    machine.checked_disks(disks)
    driver = driver_of(kind)
    with locked(say):
        existing = kept(name)
        if existing is not None and existing.ready:
            agree(existing, kind, disks, suite)
            return resumed(existing, driver, say)
        if (machine.FOLDER / name).exists():
            say(f"Removing what a cut `up` left of lab {name}.")
            remove(name, say)
        lab = Lab(name, kind, suite, free_port(), disks, machine.FOLDER / name)
        machine.save(lab)
        needs.ensure(driver.needed(), say, confirm)
        driver.prepare(say)
        say(f"Making lab {name}.")
        driver.remove(lab.folder, say)  # what is left of one whose folder was deleted by hand
        keys.make_keys(lab)
        driver.make(lab, say)
        wait_for_ssh(lab, driver, say)
        say(f"Lab {name} is up: `clup lab ssh --name {name}` (port {lab.port}).")
        return machine.made_ready(lab)


def equip(say: Say, confirm: Confirm, kind: str = "container") -> None:
    """Given a kind of lab, install what such labs need here once it is confirmed. Raise LabError.

    For whoever calls `up` later where nobody can be asked.
    """
    with locked(say):
        needs.ensure(driver_of(kind).needed(), say, confirm)


def down(name: str = "default", say: Say = print) -> None:
    """Given a lab's name, remove all of it, whatever state it is in. Raise LabError if unknown."""
    with locked(say):
        if name not in machine.recorded():
            raise unknown(name)
        remove(name, say)


def down_all(say: Say = print) -> None:
    """Remove all labs, and what they needed on this machine. Does nothing when there is none."""
    with locked(say):
        for name in machine.recorded():
            remove(name, say)
        after_last(say)


def reboot(name: str = "default", say: Say = print) -> None:
    """Given a lab's name, shut its machine down and boot it. Raise LabError."""
    with locked(say):
        lab = find(name)
        if not lab.ready:
            cure = f"make it with `clup lab up --name {name}`"
            raise LabError("its `up` was cut", f"lab {name}", cure)
        driver = driver_of(lab.kind)
        driver.prepare(say)
        driver.stop(lab)
        driver.start(lab)
        wait_for_ssh(lab, driver, say)


def driver_of(kind: str) -> Driver:
    """Given a kind of lab, return what drives it. Raise LabError if there is no such kind."""
    if kind not in KINDS:
        raise LabError(f"there is no kind {kind!r}", "the lab's kind", f"use {', '.join(KINDS)}")
    return KINDS[kind]


def agree(lab: Lab, kind: str, disks: tuple[Disk, ...], suite: str) -> None:
    """Given a lab and what was asked for, raise LabError if they differ."""
    asked = {"kind": kind, "disks": disks, "suite": suite}
    for key, value in asked.items():
        if (found := getattr(lab, key)) != value:
            raise LabError(
                f"its {key} is {found!r}, not {value!r}",
                f"lab {lab.name}",
                f"use another name, or remove it with `clup lab down --name {lab.name}`",
            )


def resumed(lab: Lab, driver: Driver, say: Say) -> Lab:
    """Given a lab that was up once, return it up: it may have been stopped since."""
    driver.prepare(say)
    if lab.folder not in driver.running():
        say(f"Booting lab {lab.name}, which was stopped.")
        driver.start(lab)
        wait_for_ssh(lab, driver, say)
    say(f"Lab {lab.name} is up: `clup lab ssh --name {lab.name}` (port {lab.port}).")
    return lab


def remove(name: str, say: Say) -> None:
    """Given the name of a lab, readable or not, remove it; the folder last, as it remembers."""
    folder = machine.FOLDER / name
    if (lab := kept(name)) is not None:
        machine.save(replace(lab, ready=False))  # were this cut, `up` would not boot the remains
    for driver in KINDS.values():
        driver.remove(folder, say)
    shutil.rmtree(folder)
    after_last(say)


def after_last(say: Say) -> None:
    """End what labs needed on this machine, unless there is one left."""
    if not machine.recorded():
        for driver in KINDS.values():
            driver.after_last(say)


def free_port() -> int:
    """Return a TCP port of this machine that nobody listens on and no lab has been given."""
    taken = {lab.port for name in machine.recorded() if (lab := kept(name)) is not None}
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port not in taken:
            return port


def wait_for_ssh(lab: Lab, driver: Driver, say: Say) -> None:
    """Given a lab that boots, wait until it is through and answers. Raise LabError with its log.

    A unit that failed in there is told, but it is the tester's business: the machine is up.
    """
    end = time.monotonic() + BOOT_SECONDS
    argv = ssh_argv(lab, ["systemctl", "is-system-running", "--wait"], batch=True)
    said = "no answer"
    while time.monotonic() < end:
        done = attempt(argv, seconds=end - time.monotonic())
        if done is not None:
            said = (done.stdout + done.stderr).decode(errors="replace").strip() or said
        if said == "degraded":
            say(f"In lab {lab.name} a unit failed: `systemctl --failed` in there names it.")
        if said in ("running", "degraded"):
            return
        time.sleep(0.1)
    raise LabError(
        f"not ready {BOOT_SECONDS:g} s after its start: {said}; it said last: "
        f"{driver.last_words(lab).strip() or 'nothing'}",
        f"lab {lab.name}",
        f"remove it with `clup lab down --name {lab.name}`, then try again",
    )
