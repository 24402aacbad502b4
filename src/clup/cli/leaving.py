"""What left the settings, found by its name on each machine: for those who forget or remove it."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

from pyinfra.api.host import Host

from clup import journal, managed, revision
from clup.cli import outdated
from clup.cli.session import Session
from clup.cli.target import ROOT
from clup.inventories import DeploymentError
from clup.managed import Thing
from clup.removal import RefusedError, ordered
from clup.transport import lock

Act = Callable[[Host, Thing], str]
"""Does something about a thing on a host, and returns a line about it. Raises RefusedError where
it stays as it is."""


def find(
    session: Session, name: str, kinds: Container[str] = tuple(managed.KINDS)
) -> dict[Host, list[Thing]]:
    """Connect to the session's machines; return, by host, what left the settings by that name.

    Of several things with that name only those of the given kinds count. What is still in the
    settings fails its host. Raise DeploymentError when no machine has anything of that name.
    """
    session.connect(changes=True)
    found: dict[Host, list[Thing]] = {}
    for host in session.deployment.active:
        recorded = _named(session.recorded[host.name], name, kinds)
        left = recorded - session.declared(host)
        if left:
            found[host] = ordered(left)
        elif here := _named(session.declared(host), name, kinds):
            session.deployment.fail(host, still_declared(host.name, min(here)))
    if not found and session.deployment.active:
        raise DeploymentError(unknown(name, session.recorded, session.deployment.active))
    return found


def _named(things: frozenset[Thing], name: str, kinds: Container[str]) -> frozenset[Thing]:
    return frozenset(thing for thing in things if thing.name == name and thing.kind in kinds)


def still_declared(host: str, thing: Thing) -> str:
    """Return the line about a thing that did not leave the settings."""
    return f"{host}: {thing} is in the settings; take it out of group_data, then try again"


def unknown(name: str, recorded: Mapping[str, frozenset[Thing]], active: list[Host]) -> str:
    """Return the line about a name that nothing which clup manages has."""
    hosts = ", ".join(host.name for host in active)
    near = managed.nearest(name, [thing for host in active for thing in recorded[host.name]])
    cure = f"did you mean {near}?" if near else "`clup plan` lists what left the settings"
    return f"{name}: nothing that clup made or manages on {hosts} has this name; {cure}"


def each(
    session: Session, found: Mapping[Host, list[Thing]], action: str, act: Act, older: bool
) -> None:
    """Do something about every thing on every host, under its lock, and write it into the journal.

    What is refused fails its host, of which the rest stays; what was done before stays done. A
    checkout that is older than what was applied last takes what came since for what left, so it
    is refused, unless it was said to go on with an `older` one.
    """
    now = revision.current(ROOT)
    session.document["hosts"] |= {host.name: {"done": []} for host in found}
    for host, things in found.items():
        with session.deployment.alone(host):
            taken = lock.take(host, session.screen.step)
            if line := taken or outdated.objection(host, now, older):
                session.deployment.fail(host, line)
                continue
            for thing in things:
                session.state = f"{thing} may be half done on {host.name}; type it again to finish"
                refused = _one(session, host, thing, act)
                result = "failed" if refused else "done"
                said = journal.entry(
                    now, result, int(not refused), refused, "all", f"{action} {thing}"
                )
                journal.append(host, said)
                if refused:
                    session.deployment.fail(host, refused)
                    break


def _one(session: Session, host: Host, thing: Thing, act: Act) -> str:
    """Do something about one thing; return why not, or "" when it is done."""
    try:
        said = act(host, thing)
    except RefusedError as error:
        return str(error)
    managed.drop(host, [thing])
    session.document["hosts"][host.name]["done"].append(str(thing))
    session.screen.lines([f"{host.name}: {said}"])
    return ""
