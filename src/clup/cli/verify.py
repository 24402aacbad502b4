"""`clup verify`: read the running machines and compare them with their settings."""

from __future__ import annotations

from dataclasses import asdict

import click
from pyinfra.api.host import Host

from clup.checks import Result
from clup.checks import run as run_checks
from clup.cli.session import PENDING, Session, run
from clup.cli.target import Target, target
from clup.layers import selected
from clup.transport.raw import testinfra_host
from roles import ROLES


@click.command()
@click.option("--all", "everything", is_flag=True, help="Show the checks that passed, too.")
@target
def command(target: Target, everything: bool) -> None:
    """Run the checks of every role against the running machines. Nothing is changed.

    \b
    Example:
      clup verify inventories/example.py --role engine

    Exit 0 when all hold, 2 when a check failed, 1 when a host cannot be reached.
    """

    def work(session: Session) -> None:
        session.connect(changes=False)
        check_all(session, everything)
        session.show_unmanaged()

    run("verify", target, work)


def check_all(session: Session, everything: bool) -> None:
    """Run the roles' checks on the session's machines, which are connected, and show the result."""
    for host in session.deployment.active:
        session.screen.step(f"{host.name}: checking")
        with session.deployment.alone(host):
            _check(session, host, everything)


def _check(session: Session, host: Host, everything: bool) -> None:
    results = checked(session, host)
    if any(result.status == "failed" for result in results):
        session.exit = PENDING
    session.screen.lines(_lines(host.name, results, everything))


def checked(session: Session, host: Host) -> list[Result]:
    """Run the roles' checks on a connected host; put the results into the document, return them."""
    machine = testinfra_host(host)
    wanted = selected(host, tuple(role.name for role in ROLES))
    results = {
        role.name: run_checks(role.name, role.checks(machine, session.settings[host.name]))
        for role in ROLES
        if role.name in wanted
    }
    session.document["hosts"][host.name]["checks"] = {
        role: [asdict(result) for result in found] for role, found in results.items()
    }
    return [result for found in results.values() for result in found]


def _lines(host: str, results: list[Result], everything: bool) -> list[str]:
    # What is to be mended comes last, where the eye is when the command has ended.
    signs = {"passed": "ok      ", "untestable": "skipped ", "failed": "FAILED  "}
    shown = [each for each in results if everything or each.status != "passed"]
    shown.sort(key=lambda each: list(signs).index(each.status))
    counts = {status: sum(each.status == status for each in results) for status in signs}
    summary = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return [*(f"  {signs[each.status]}{each}" for each in shown), f"{host}: {summary}"]
