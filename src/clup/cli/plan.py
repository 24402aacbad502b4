"""`clup plan`: what an apply would change, and what that rests on; nothing is changed."""

from __future__ import annotations

import click

from clup.cli.session import FAILED, PENDING, Session, run
from clup.cli.target import Target, target


@click.command()
@target
def command(target: Target) -> None:
    """Show what `apply` would change, role by role, with diffs and a verdict for each disk.

    \b
    Example:
      clup plan inventories/example.py --role storage

    Works on an empty machine. What left the settings and still is there is listed as unmanaged,
    which is no change. Exit 0 when there is nothing to do, 2 when changes are pending,
    1 when a host cannot be reached or something is refused.
    """
    run("plan", target, _plan)


def _plan(session: Session) -> None:
    session.connect(changes=False)
    if session.deployment.active:
        session.screen.step("reading the machines")
    plans = session.deployment.prepare()
    session.operations(plans)
    for host, operations in plans.items():
        session.screen.plan(host, operations)
        statuses = {operation.status for operation in operations}
        if "refused" in statuses:
            session.exit = FAILED
        elif "would change" in statuses and session.exit != FAILED:
            session.exit = PENDING
    session.show_unmanaged()
