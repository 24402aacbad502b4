"""`clup drift`: a line for each machine, for a timer: is it as its settings say?"""

from __future__ import annotations

from collections.abc import Sequence

import click
from pyinfra.api.host import Host

from clup.checks import Result
from clup.cli.session import PENDING, Session, run
from clup.cli.target import Target, target
from clup.cli.verify import checked
from clup.managed import Thing
from clup.watch import Operation

NAMED = 5
"""How many things a line names; the document of --json has all."""


@click.command()
@target
def command(target: Target) -> None:
    """Tell in a line for each machine whether it is as its settings say. Nothing is changed.

    \b
    Example, for a timer or a monitor:
      clup drift inventories/example.py

    It does what `plan` and `verify` do, over one connection. Exit 0 when all is in order, 2 when
    changes are pending or a check failed somewhere, 1 when a machine could not be read. What left
    the settings and still is there is named, and is no drift.
    """
    run("drift", target, _drift)


def _drift(session: Session) -> None:
    session.tells_errors = False
    session.connect(changes=False)
    plans = session.deployment.prepare()
    session.operations(plans)
    lines: dict[str, str] = {}
    for host in session.deployment.active:
        with session.deployment.alone(host):
            results = checked(session, host)
            lines[host.name] = _told(session, host, plans[host.name], results)
    active = {host.name for host in session.deployment.active}
    for host in session.deployment.hosts:
        if host.name not in active:
            lines[host.name] = _lost(session, host)
    session.screen.lines([lines[host.name] for host in session.deployment.hosts])


def _told(
    session: Session, host: Host, operations: Sequence[Operation], results: Sequence[Result]
) -> str:
    is_in_order, said = summary(operations, results, session.unmanaged(host))
    if not is_in_order:
        session.exit = PENDING
    state = "in order" if is_in_order else "drifted"
    session.document["hosts"][host.name]["state"] = state
    return f"{host.name}: {said}"


def _lost(session: Session, host: Host) -> str:
    state = "not read" if host.name in session.recorded else "unreachable"
    session.document["hosts"][host.name]["state"] = state
    why = "; ".join(dict.fromkeys(session.deployment.errors.get(host.name, [])))
    return f"{host.name}: {state}: {why.removeprefix(f'{host.name}: ')}"


def summary(
    operations: Sequence[Operation], results: Sequence[Result], unmanaged: Sequence[Thing]
) -> tuple[bool, str]:
    """Given what a plan and the checks found, and what left the settings, return whether the
    machine is in order, and the line about it."""
    pending = [str(each) for each in operations if each.status == "would change"]
    refused = [str(each) for each in operations if each.status == "refused"]
    failed = [each.what for each in results if each.status == "failed"]
    left = [str(thing) for thing in unmanaged]
    counts = [
        _count(pending, "change pending", "changes pending"),
        _count(refused, "refused", "refused"),
        _count(failed, "check failed", "checks failed"),
        _count(left, "unmanaged", "unmanaged"),
    ]
    said = ", ".join(filter(None, counts))
    what = _listed([*refused, *pending, *failed, *left])
    if pending or refused or failed:
        return False, f"drifted: {said}: {what}"
    passed = sum(each.status == "passed" for each in results)
    order = f"in order ({len(operations)} operations, {passed} checks)"
    return True, f"{order}, {said}: {what}" if left else order


def _count(found: Sequence[str], one: str, several: str) -> str:
    return f"{len(found)} {one if len(found) == 1 else several}" if found else ""


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return "; ".join(names[:NAMED]) + (f"; and {more} more" if more > 0 else "")
