"""Which labs there are, and which of them are up."""

from dataclasses import dataclass

from clup.lab import machine
from clup.lab.driver import KINDS
from clup.lab.errors import LabError
from clup.lab.machine import Lab


@dataclass(frozen=True)
class Seen:
    """One lab's folder: `state` is up, stopped, unfinished (its `up` was cut) or unreadable."""

    name: str
    state: str
    lab: Lab | None


def seen() -> list[Seen]:
    """Return every lab with its state, by name. Never raises for a lab in a bad state."""
    known = {name: kept(name) for name in machine.recorded()}
    kinds = {lab.kind for lab in known.values() if lab is not None and lab.kind in KINDS}
    live = frozenset[object]().union(*(KINDS[kind].running() for kind in kinds))
    return [
        Seen(name, state(lab, lab is not None and lab.folder in live), lab)
        for name, lab in known.items()
    ]


def state(lab: Lab | None, runs: bool) -> str:
    """Given a lab (None if unreadable) and whether its machine runs, return its state's name."""
    if lab is None:
        return "unreadable"
    if not lab.ready:
        return "unfinished"
    return "up" if runs else "stopped"


def running() -> list[Lab]:
    """Return the labs that are up."""
    return [each.lab for each in seen() if each.state == "up" and each.lab is not None]


def find(name: str) -> Lab:
    """Given a name, return the lab of that name, up or not. Raise LabError."""
    if name not in machine.recorded():
        raise unknown(name)
    return machine.load(machine.FOLDER / name)


def only(name: str | None = None) -> Lab:
    """Given a lab's name or nothing, return that lab, or the one that is up. Raise LabError."""
    live = chosen(name)
    if len(live) > 1:
        raise ambiguous([lab.name for lab in live], "are up", "set CLUP_LAB=NAME")
    return live[0]


def sole() -> str:
    """Return the name of the lab, up or not. Raise LabError unless there is exactly one."""
    names = machine.recorded()
    if not names:
        raise LabError("there is no lab", "this checkout", "`clup lab up` makes one")
    if len(names) > 1:
        raise ambiguous(names, "exist", "say which one with --name NAME, or set CLUP_LAB=NAME")
    return names[0]


def ambiguous(names: list[str], what: str, cure: str) -> LabError:
    """Given several labs where one was meant, return the error to raise."""
    return LabError(f"{len(names)} labs {what} ({', '.join(names)})", "this checkout", cure)


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
    raise LabError("no lab is up", "this checkout", "make one with `clup lab up`")


def unknown(name: str) -> LabError:
    """Given a name that no lab has, return the error to raise."""
    names = ", ".join(machine.recorded())
    there = f"there are: {names}" if names else "there is none; `clup lab up` makes one"
    return LabError(f"there is no lab {name!r}", "this checkout", there)


def kept(name: str) -> Lab | None:
    """Given a name, return its lab as it is written down, None if it is not or not legibly."""
    try:
        return machine.load(machine.FOLDER / name)
    except LabError:
        return None
