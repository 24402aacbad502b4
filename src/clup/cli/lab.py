"""`clup lab`: throwaway machines."""

import os
import shlex

import click

from clup import lab
from clup.cli import Suggesting
from clup.cli.ask import asker
from clup.cli.lab_disk import disk
from clup.cli.lab_matrix import matrix
from clup.cli.lab_options import answering, json_option, meant, name_option, names, parse_disk, say
from clup.lab.driver import KINDS
from clup.lab.image import SUITES
from clup.lab.machine import Disk


def _suites(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    return [suite for suite in SUITES if suite.startswith(typed)]


@click.group(name="lab", cls=Suggesting, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make, reach, reboot and remove throwaway machines.

    \b
    Example:
      clup lab up
      clup lab ssh
      clup lab down
    """


@command.command()
@click.option(
    "--name",
    default="default",
    show_default=True,
    shell_complete=names,
    help="A name for the lab.",
)
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    help="What the machine is; a container, which is up sooner, unless you say otherwise.",
)
@click.option(
    "--suite", shell_complete=_suites, help="The Debian release in it; trixie unless you say."
)
@click.option("--disk", "disks", multiple=True, metavar="ID=SIZE", help="Instead of the defaults.")
@click.option(
    "--with", "packages", multiple=True, metavar="PACKAGE", help="A Debian package to have in it."
)
@click.option("--yes", is_flag=True, help="Install what this machine lacks without asking.")
@json_option
def up(
    name: str,
    kind: str | None,
    suite: str | None,
    disks: tuple[str, ...],
    packages: tuple[str, ...],
    yes: bool,
    as_json: bool,
) -> None:
    """Make a lab, or boot it if it was stopped.

    \b
    Example:
      clup lab up --name second --kind vm --disk virtio-LABDATA=1G
    """
    wanted = tuple(parse_disk(text) for text in disks) or None
    cut = f"`clup lab up --name {name}` starts over, `clup lab down --name {name}` removes the rest"
    with answering("up", cut, as_json):
        lab.up(name, kind, wanted, say, suite=suite, packages=packages or None, confirm=asker(yes))


@command.command()
@name_option
@click.option("--all", "everything", is_flag=True, help="Remove every lab.")
@json_option
def down(name: str | None, everything: bool, as_json: bool) -> None:
    """Remove a lab with all that is in it; its image is kept.

    \b
    Example:
      clup lab down --name second
    """
    if name and everything:
        raise click.UsageError("--name and --all exclude each other")
    with answering("down", "run it again to remove the rest", as_json):
        if everything:
            lab.down_all(say)
        else:
            lab.down(meant(name), say)


@command.command("list")
@json_option
def list_labs(as_json: bool) -> None:
    """List the labs of this checkout, with their state and port.

    \b
    Example:
      clup lab list --json
    """
    with answering("list", "nothing was changed", as_json):
        if as_json:
            return
        found = lab.seen()
        if not found:
            say("There is no lab; `clup lab up` makes one.")
        for each in found:
            click.echo(row(each))


def row(seen: lab.Seen) -> str:
    """Given a lab as it was found, return its line in the list."""
    if seen.lab is None:
        return f"{seen.name:<16} {seen.state}"
    box = seen.lab
    disks = ", ".join(brief(disk) for disk in box.disks)
    return f"{seen.name:<16} {seen.state:<11} {box.kind:<9} {box.suite} port {box.port}  {disks}"


def brief(disk: Disk) -> str:
    """Given a disk, return what the list says of it."""
    said = ["read-only"] * disk.read_only + ["detached"] * (not disk.attached)
    return " ".join([disk.id, f"{disk.size >> 20} MiB", *said])


@command.command(context_settings={"ignore_unknown_options": True})
@name_option
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
def ssh(name: str | None, words: tuple[str, ...]) -> None:
    """Log in to a lab, or run one command in it.

    \b
    Example:
      clup lab ssh --name second -- systemctl --failed
    """
    with answering("ssh", "the lab goes on"):
        box = lab.chosen(meant(name))[0]
    remote = words if len(words) < 2 else (shlex.join(words),)
    argv = lab.ssh_argv(box, remote)
    os.execvp(argv[0], argv)


@command.command()
@name_option
@json_option
def reboot(name: str | None, as_json: bool) -> None:
    """Shut a lab's machine down and boot it again, with its disks.

    \b
    Example:
      clup lab reboot --name second
    """
    with answering("reboot", "`clup lab up` boots it if it is down", as_json):
        lab.reboot(meant(name), say)


@command.command()
@name_option
@json_option
def cut(name: str | None, as_json: bool) -> None:
    """Pull the plug of a lab's machine; `clup lab up` boots it again.

    \b
    Example:
      clup lab cut --name second

    A virtual machine loses what it had not yet given to its disks. A container loses its processes
    only: what they wrote is kept by the kernel of this machine, which goes on.
    """
    with answering("cut", "`clup lab list` tells whether it is up", as_json):
        lab.cut(meant(name), say)


command.add_command(disk)
command.add_command(matrix)
