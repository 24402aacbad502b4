"""Throwaway machines to converge, break and throw away: `up`, `down`, `reboot`, `labs`.

What the rest of clup uses is here; the files beside it are one idea each.
"""

import shutil
import socket
import time

from clup.lab import keys, machine, needs
from clup.lab.commands import attempt
from clup.lab.driver import KINDS, Driver
from clup.lab.errors import LabError
from clup.lab.keys import ssh_argv
from clup.lab.lock import locked
from clup.lab.machine import DEFAULT_DISKS, Disk, Lab
from clup.lab.say import Confirm, Say

__all__ = [
    "DEFAULT_DISKS",
    "Disk",
    "Lab",
    "LabError",
    "chosen",
    "down",
    "find",
    "labs",
    "only",
    "reboot",
    "running",
    "ssh_argv",
    "up",
]

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
        keys.make_keys(lab)
        say(f"Making lab {name}.")
        driver.make(lab, say)
        wait_for_ssh(lab, driver, say)
        say(f"Lab {name} is up: `clup lab ssh --name {name}` (port {lab.port}).")
        return machine.made_ready(lab)


def down(name: str = "default", say: Say = print) -> None:
    """Given a lab's name, remove all of it, whatever state it is in. Raise LabError if unknown."""
    with locked(say):
        if name not in machine.recorded():
            raise unknown(name)
        remove(name, say)


def reboot(name: str = "default", say: Say = print) -> None:
    """Given a lab's name, shut its machine down and boot it. Raise LabError."""
    with locked(say):
        lab = find(name)
        driver = driver_of(lab.kind)
        driver.prepare(say)
        driver.stop(lab)
        driver.start(lab)
        wait_for_ssh(lab, driver, say)


def labs() -> list[Lab]:
    """Return all labs that are written down, up or not. Raise LabError if one is unreadable."""
    return [machine.load(machine.FOLDER / name) for name in machine.recorded()]


def running() -> list[Lab]:
    """Return the labs that are up: they were made completely, and their machine runs."""
    known = [lab for lab in labs() if lab.ready]
    live = {kind: KINDS[kind].running() for kind in {lab.kind for lab in known}}
    return [lab for lab in known if lab.folder in live[lab.kind]]


def find(name: str) -> Lab:
    """Given a name, return the lab of that name, up or not. Raise LabError."""
    if name not in machine.recorded():
        raise unknown(name)
    return machine.load(machine.FOLDER / name)


def only() -> Lab:
    """Return the lab that is up. Raise LabError unless it is exactly one."""
    live = running()
    if len(live) == 1:
        return live[0]
    if not live:
        raise not_up()
    names = ", ".join(lab.name for lab in live)
    raise LabError(f"{len(live)} labs are up ({names})", "this checkout", "say which one you mean")


def chosen(name: str | None) -> list[Lab]:
    """Given a lab's name or nothing, return that lab or all, as they are up, at least one.

    Raise LabError if the one, or all, are not up.
    """
    live = [lab for lab in running() if not name or lab.name == name]
    if live:
        return live
    if name:
        find(name)
        raise LabError("it is not up", f"lab {name}", f"boot it with `clup lab up --name {name}`")
    raise not_up()


def not_up() -> LabError:
    """Return the error to raise when a lab is needed and none is up."""
    return LabError("no lab is up", "this checkout", "make one with `clup lab up`")


def unknown(name: str) -> LabError:
    """Given a name that no lab has, return the error to raise."""
    names = ", ".join(machine.recorded())
    there = f"there are: {names}" if names else "there is none; `clup lab up` makes one"
    return LabError(f"there is no lab {name!r}", "this checkout", there)


def driver_of(kind: str) -> Driver:
    """Given a kind of lab, return what drives it. Raise LabError if there is no such kind."""
    if kind not in KINDS:
        raise LabError(f"there is no kind {kind!r}", "the lab's kind", f"use {', '.join(KINDS)}")
    return KINDS[kind]


def kept(name: str) -> Lab | None:
    """Given a name, return its lab as it is written down, None if it is not or not legibly."""
    try:
        return machine.load(machine.FOLDER / name)
    except LabError:
        return None


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
    for driver in KINDS.values():
        driver.remove(folder, say)
    shutil.rmtree(folder)
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
