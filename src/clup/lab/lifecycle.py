"""A lab's life: up, reboot, down."""

import shutil
import socket
import time
from dataclasses import replace

from clup.lab import keys, machine, needs
from clup.lab.commands import attempt
from clup.lab.driver import KINDS, Driver, driver_of
from clup.lab.errors import LabError
from clup.lab.keys import ssh_argv
from clup.lab.lock import SERVICES, locked
from clup.lab.lookup import chosen, find, kept, unknown
from clup.lab.machine import DEFAULT_DISKS, Disk, Lab
from clup.lab.say import Confirm, Say

KIND = "container"
SUITE = "trixie"


def up(
    name: str = "default",
    kind: str | None = None,
    disks: tuple[Disk, ...] | None = None,
    say: Say = print,
    *,
    suite: str | None = None,
    packages: tuple[str, ...] | None = None,
    confirm: Confirm = lambda question: True,
) -> Lab:
    """Given a name and what the machine shall be, return a lab that answers ssh.

    A lab that is up already is returned as it is, a stopped one is booted, and one whose `up` was
    cut is made anew. What is not said is as it was, for a new lab a trixie in a container with
    DEFAULT_DISKS. Raise LabError, also when there is a lab of that name with other properties.
    """
    machine.checked_name(name)
    with locked(say, name):
        existing = kept(name)
        if existing is not None and existing.ready:
            agree(existing, kind=kind, disks=disks, suite=suite, packages=packages)
            return resumed(existing, driver_of(existing.kind), say)
        driver = driver_of(kind or KIND)
        with locked(say):
            disks = DEFAULT_DISKS if disks is None else disks
            folder = machine.FOLDER / name
            more = machine.checked_packages(packages or ())
            lab = Lab(name, kind or KIND, suite or SUITE, free_port(), disks, folder, packages=more)
            machine.checked_disks(disks)
            driver.check(lab)
            make(lab, driver, say, confirm)
        wait_for_ssh(lab, driver, say)
        say(f"Lab {name} is up: `clup lab ssh --name {name}` (port {lab.port}).")
        return machine.made_ready(lab)


def make(lab: Lab, driver: Driver, say: Say, confirm: Confirm) -> None:
    """Given what a lab shall be, make it and let it boot, instead of what a cut `up` left of it."""
    if lab.folder.exists():
        say(f"Removing what a cut `up` left of lab {lab.name}.")
        remove(lab.name, say)
    machine.save(lab)
    needs.ensure(driver.needed(), say, confirm)
    driver.prepare(say)
    say(f"Making lab {lab.name}.")
    driver.remove(lab.folder, say)  # what is left of one whose folder was deleted by hand
    keys.make_keys(lab)
    driver.make(lab, say)


def equip(say: Say, confirm: Confirm) -> None:
    """Install what labs of all kinds need here once it is confirmed. Raise LabError.

    For whoever calls `up` later where nobody can be asked.
    """
    with locked(say):
        wanted = dict.fromkeys(need for driver in KINDS.values() for need in driver.needed())
        needs.ensure(wanted, say, confirm)


def down(name: str = "default", say: Say = print) -> None:
    """Given a lab's name, remove all of it, whatever state it is in. Raise LabError if unknown."""
    must_be_recorded(name)
    with locked(say, name), locked(say):
        must_be_recorded(name)
        remove(name, say)


def must_be_recorded(name: str) -> None:
    """Given a name, raise LabError unless there is a lab of that name, in whatever state."""
    if name not in machine.recorded():
        raise unknown(name)


def down_all(say: Say = print) -> None:
    """Remove all labs, and what they needed on this machine. Does nothing when there is none."""
    for name in machine.recorded():
        with locked(say, name), locked(say):
            if name in machine.recorded():
                remove(name, say)
    with locked(say, SERVICES), locked(say):
        after_last(say)


def reboot(name: str = "default", say: Say = print) -> None:
    """Given a lab's name, shut its machine down and boot it. Raise LabError."""
    find(name)
    with locked(say, name):
        lab = find(name)
        if not lab.ready:
            cure = f"make it with `clup lab up --name {name}`"
            raise LabError("its `up` was cut", f"lab {name}", cure)
        driver = driver_of(lab.kind)
        with locked(say):
            driver.prepare(say)
        driver.stop(lab)
        with locked(say):
            driver.start(lab, say)
        wait_for_ssh(lab, driver, say)


def cut(name: str = "default", say: Say = print) -> None:
    """Given a lab's name, pull the plug of its machine; `up` boots it again. Raise LabError."""
    find(name)
    with locked(say, name):
        lab = chosen(name)[0]
        driver_of(lab.kind).cut(lab)


def agree(lab: Lab, **asked: object) -> None:
    """Given a lab and what was asked for, None where nothing, raise LabError if they differ."""
    for key, value in asked.items():
        if value is not None and (found := getattr(lab, key)) != value:
            raise LabError(
                f"its {key} is {found!r}, not {value!r}",
                f"lab {lab.name}",
                f"use another name, or remove it with `clup lab down --name {lab.name}`",
            )


def resumed(lab: Lab, driver: Driver, say: Say) -> Lab:
    """Given a lab that was up once, return it up: it may have been stopped since."""
    with locked(say):
        driver.prepare(say)
        runs = lab.folder in driver.running()
        if not runs:
            say(f"Booting lab {lab.name}, which was stopped.")
            driver.start(lab, say)
    if not runs:
        wait_for_ssh(lab, driver, say)
    say(f"Lab {lab.name} is up: `clup lab ssh --name {lab.name}` (port {lab.port}).")
    return lab


def remove(name: str, say: Say) -> None:
    """Given the name of a lab, readable or not, remove it; the folder last, as it remembers."""
    folder = machine.FOLDER / name
    if (lab := kept(name)) is not None:
        machine.save(replace(lab, ready=False))  # were this cut, `up` would not boot the remains
    for driver in [KINDS[lab.kind]] if lab is not None and lab.kind in KINDS else KINDS.values():
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
    end = time.monotonic() + driver.BOOT_SECONDS
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
        f"not ready {driver.BOOT_SECONDS:g} s after its start: {said}; it said last: "
        f"{driver.last_words(lab).strip() or 'nothing'}",
        f"lab {lab.name}",
        f"remove it with `clup lab down --name {lab.name}`, then try again",
    )
