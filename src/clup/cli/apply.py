"""`clup apply`: converge the machines."""

from __future__ import annotations

from collections.abc import Iterable

import click
from pyinfra.api.host import Host

from clup import journal, managed, revision
from clup.cli import outdated
from clup.cli.session import FAILED, Session, run
from clup.cli.target import ROOT, Target, target
from clup.layers import selected
from clup.transport import lock
from clup.watch import Listener, Operation
from roles import ROLES


@click.command()
@outdated.option
@target
def command(target: Target, older: bool) -> None:
    """Converge the machines on their settings. A second run changes nothing.

    \b
    Example:
      clup apply inventories/example.py

    Nothing is touched when the settings are invalid (exit 3), or when anything would be refused
    (exit 1). A run that was cut is finished by the next one. What left the settings stays, and is
    listed as unmanaged.
    """
    run("apply", target, lambda session: converge(session, older))


def converge(session: Session, older: bool) -> None:
    """Apply the whole site to the session's machines, and write it into their journals."""
    session.connect(changes=True)
    now = revision.current(ROOT)
    for host in session.deployment.active:
        with session.deployment.alone(host):
            if line := lock.take(host, session.screen.step) or outdated.objection(host, now, older):
                session.deployment.fail(host, line)
    if not session.deployment.active:
        return
    session.screen.step("reading the machines")
    plans = session.deployment.prepare()
    session.operations(plans)
    for host in session.deployment.active:
        refused = [each for each in plans[host.name] if each.status == "refused"]
        for line in _lines(refused):
            session.deployment.fail(host, line)
    if not session.deployment.active:
        return
    # Before the first change, as it must be known if this run is cut.
    for host in session.deployment.active:
        with session.deployment.alone(host):
            managed.add(host, _new(session, host))
    _execute(session, plans, now)
    _write_journal(session, now)
    session.show_unmanaged()


def _new(session: Session, host: Host) -> frozenset[managed.Thing]:
    """Return what this run manages on a host and the machine does not remember yet."""
    wanted = selected(host, tuple(role.name for role in ROLES))
    return session.declared(host, wanted) - session.recorded[host.name]


def _execute(session: Session, plans: dict[str, list[Operation]], now: str) -> None:
    pending = {
        host.name: sum(each.status == "would change" for each in plans[host.name])
        for host in session.deployment.active
    }
    for host, count in pending.items():
        session.screen.step(f"{host}: {count} of {len(plans[host])} operations to do")
    watch = _Watch(session, pending)
    session.state = "the first change was under way; apply again to converge"
    try:
        with session.screen.counting({host: len(plans[host]) for host in pending}):
            results = session.deployment.execute(watch)
    except KeyboardInterrupt:
        session.operations(session.deployment.results())
        for machine in session.deployment.active:
            _note(session, machine, now, "interrupted", watch.done[machine.name], session.state)
        raise
    session.operations(results)
    for name, operations in results.items():
        failed = [each for each in operations if each.status == "failed"]
        session.deployment.errors[name] = _lines(failed) or session.deployment.errors.get(name, [])
        changed = sum(each.status == "changed" for each in operations)
        verified = sum(each.status == "unchanged" for each in operations)
        session.document["hosts"][name] |= {"changed": changed, "verified": verified}
        left = len(operations) - changed - verified
        session.screen.lines(
            [
                f"{name}: {changed} changed, {verified} verified"
                + (f", {left} not done" * bool(left))
            ]
        )


def _lines(operations: Iterable[Operation]) -> list[str]:
    return [f"{each}: {line}" for each in operations for line in each.error.splitlines()]


def _write_journal(session: Session, now: str) -> None:
    failed = session.deployment.state.failed_hosts
    for host in session.deployment.hosts:
        shown = session.document["hosts"].get(host.name, {})
        if "changed" not in shown:
            continue
        result = "failed" if host in failed else "done"
        errors = "; ".join(session.deployment.errors.get(host.name, []))
        _note(session, host, now, result, shown["changed"], errors)


def _note(session: Session, host: Host, now: str, result: str, changed: int, failed: str) -> None:
    """Write a line into a machine's journal. That it cannot be written fails the command."""
    role = session.target.role or "all"
    try:
        journal.append(host, journal.entry(now, result, changed, failed, role))
    except OSError as error:
        session.exit = FAILED
        if isinstance(error, ConnectionError) and host in session.deployment.state.failed_hosts:
            return  # its own line says that the connection ended
        session.screen.error(f"{host.name}: the journal was not written: {error}")


class _Watch(Listener):
    """Counts what is done on each host, for what is said when the run is interrupted."""

    def __init__(self, session: Session, pending: dict[str, int]):
        self.done = dict.fromkeys(pending, 0)
        self._last: dict[str, Operation] = {}
        self._pending = pending
        self._session = session

    def started(self, host: Host, operation: str) -> None:
        self._session.screen.started(host, operation)

    def said(self, line: str) -> None:
        self._session.screen.said(line)

    def ended(self, host: Host, operation: Operation) -> None:
        if operation.status == "changed":
            self.done[host.name] += 1
            self._last[host.name] = operation
        stands = [
            f"{name}: {self.done[name]} of {count} changes were done"
            + (f", the last one: {self._last[name]}" if name in self._last else "")
            for name, count in self._pending.items()
        ]
        then = "a command that runs there ends by itself; apply again to converge"
        self._session.state = "; ".join([*stands, then])
        self._session.screen.ended(host, operation)
