"""`clup stack`: the compose stacks of machines: listed, and taken down when they left."""

from __future__ import annotations

import click
from pyinfra.api.host import Host

from clup.cli import Suggesting, outdated
from clup.cli.ask import is_terminal
from clup.cli.leaving import find
from clup.cli.remove import remove as remove_found
from clup.cli.session import Session, run
from clup.cli.target import Target, machines


@click.group(cls=Suggesting, name="stack")
def command() -> None:
    """List the compose stacks of machines, or take one down.

    \b
    Example:
      clup stack list inventories/example.py
      clup stack remove old inventories/example.py
    """


@command.command(name="list")
@machines
def listed(target: Target) -> None:
    """List every compose stack of the machines, whose it is and how it is. Nothing is changed.

    \b
    Example:
      clup stack list inventories/example.py

    A stack is as its settings say, or differs from them; it is unmanaged where it left the
    settings, and somebody else's where clup never brought it up. Exit 1 when a host cannot be
    reached.
    """
    run("stack list", target, _list)


@command.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Take it down without asking.")
@outdated.option
@machines
def remove(target: Target, name: str, yes: bool, older: bool) -> None:
    """Take down the stack NAME, which left the settings. Its volumes and its data stay.

    \b
    Example:
      clup stack remove old inventories/example.py

    Its containers and networks go, and its files out of the desired-state folder, whose history has
    them. Exit 1 when it is in the settings still, or when clup did not bring it up.
    """
    if not yes and not is_terminal():
        raise click.UsageError("nobody is at a terminal to be asked; say --yes")
    run(
        "stack remove",
        target,
        lambda session: remove_found(session, find(session, name, ("stack",)), yes, older),
    )


def _list(session: Session) -> None:
    session.connect(changes=False)
    for host in session.deployment.active:
        session.screen.step(f"{host.name}: reading its stacks")
        with session.deployment.alone(host):
            _list_one(session, host)


def _list_one(session: Session, host: Host) -> None:
    from clup.checks import read
    from clup.facts.stacks import Stacks
    from clup.stacks.change import question
    from clup.stacks.judged import judged
    from clup.stacks.overview import overview
    from clup.transport.raw import testinfra_host
    from roles import ROLES

    settings = session.settings[host.name]
    specs = [spec for role in ROLES for spec in role.stacks(getattr(settings, role.name))]
    stacks = [judged(spec) for spec in specs]
    state = read(testinfra_host(host), Stacks, question(stacks))
    recorded = [thing.name for thing in session.recorded[host.name] if thing.kind == "stack"]
    rows = overview(stacks, recorded, state)
    session.document["hosts"][host.name]["stacks"] = [
        {"name": row.name, "whose": row.whose, "containers": row.containers, "state": row.state}
        for row in rows
    ]
    lines = [f"{host.name}: {row}" for row in rows] or [f"{host.name}: no stack"]
    session.screen.lines(lines)
