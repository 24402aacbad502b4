"""`clup forget`: no longer list what left the settings; it stays on the machine."""

from __future__ import annotations

import click
from pyinfra.api.host import Host

from clup.cli import outdated
from clup.cli.leaving import each, find
from clup.cli.session import Session, run
from clup.cli.target import Target, machines
from clup.managed import Thing


@click.command()
@click.argument("name")
@outdated.option
@machines
def command(target: Target, name: str, older: bool) -> None:
    """No longer list NAME, which left the settings, as unmanaged. It stays on the machines.

    \b
    Example:
      clup forget bob inventories/example.py

    NAME is an account, a group, a package or a path, as `plan` lists it. Exit 1 when it is in the
    settings still, or when clup does not remember it.
    """
    run("forget", target, lambda session: _forget(session, name, older))


def _forget(session: Session, name: str, older: bool) -> None:
    each(session, find(session, name), "forget", _left, older)


def _left(_host: Host, thing: Thing) -> str:
    return f"{thing} stays, and is no longer listed"
