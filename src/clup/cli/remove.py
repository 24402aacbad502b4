"""`clup remove`: take from the machines what left the settings, where nothing is lost by it."""

from __future__ import annotations

from collections.abc import Mapping

import click
from pyinfra.api.host import Host

from clup import removal
from clup.cli import outdated
from clup.cli.ask import is_terminal
from clup.cli.leaving import each, find
from clup.cli.session import Session, run
from clup.cli.target import Target, machines
from clup.inventories import DeploymentError
from clup.managed import Thing


@click.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Remove it without asking.")
@outdated.option
@machines
def command(target: Target, name: str, yes: bool, older: bool) -> None:
    """Remove NAME, which left the settings, from the machines. Nothing is lost by it.

    \b
    Example:
      clup remove bob inventories/example.py

    A stack is taken down, and its volumes and what it mounted stay; an account goes when no process
    of its runs, and its home stays; a group when nobody is in it; a mount when nothing uses it, out
    of /etc/fstab too, and its data stays on the disk; a folder when it is empty; a file is kept
    beside as .bak.<UTC timestamp>, a unit of systemd's once it is stopped. Else it is
    refused (exit 1), as is what the settings still have.
    """
    if not yes and not is_terminal():
        raise click.UsageError("nobody is at a terminal to be asked; say --yes")
    run("remove", target, lambda session: remove(session, find(session, name), yes, older))


def remove(session: Session, found: Mapping[Host, list[Thing]], yes: bool, older: bool) -> None:
    """Remove what was found on each host, once the user agrees."""
    if found and not yes and not _confirmed(found):
        raise DeploymentError("nothing was removed, as you said")
    each(session, found, "remove", _removed, older)


def _removed(host: Host, thing: Thing) -> str:
    stays = removal.remove(host, thing)
    return f"removed {thing}" + (f"; {stays}" if stays else "")


def _confirmed(found: Mapping[Host, list[Thing]]) -> bool:
    listed = "; ".join(f"{host.name}: {', '.join(map(str, found[host]))}" for host in found)
    try:
        return click.confirm(f"Remove {listed}?", default=False, err=True)
    except click.Abort:
        raise KeyboardInterrupt from None
