"""`clup lab`: throwaway machines."""

import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from clup import lab
from clup.cli import FAILED, Suggesting, answer
from clup.cli.ask import asker
from clup.lab import machine
from clup.lab.image import SUITES
from clup.lab.machine import Disk

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")


def names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Complete the name of a lab, in whatever state it is."""
    return [name for name in machine.recorded() if name.startswith(typed)]


def _suites(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    return [suite for suite in SUITES if suite.startswith(typed)]


_name = click.option(
    "--name",
    shell_complete=names,
    help="The lab's name. May be left out when there is only one.",
)


@click.group(name="lab", cls=Suggesting, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Make, reach, reboot and remove throwaway machines.

    \b
    Example:
      clup lab up
      clup lab ssh
      clup lab down
    """


def say(line: str) -> None:
    """Given a line of progress, write it to stderr: stdout belongs to results."""
    click.echo(line, err=True)


@contextmanager
def answering(word: str, interrupted: str, as_json: bool = False) -> Iterator[None]:
    """Turn a lab's error, or Ctrl-C with what is then to know, into one line and exit code 1.

    With --json the document comes in any case; when all went well it tells of the labs there are.
    """
    try:
        yield
        found = lab.seen() if as_json else []
    except lab.LabError as error:
        line = str(error)
    except KeyboardInterrupt:
        line = f"interrupted; {interrupted}"
    else:
        if as_json:
            listed = [described(each) for each in found]
            answer.write(answer.document(f"lab {word}", 0, labs=listed))
        return
    click.echo(f"clup lab: {line}", err=True)
    if as_json:
        answer.write(answer.document(f"lab {word}", FAILED, error=line))
    sys.exit(FAILED)


def parse_disk(text: str) -> Disk:
    """Given ID=SIZE with a unit K, M or G of 1024s, return the disk. Raise click.BadParameter."""
    found = re.fullmatch(r"([^=]+)=(\d+)([KMG]?)", text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not ID=SIZE, such as virtio-SPARE=512M")
    return Disk(found[1], int(found[2]) * UNITS[found[3]])


def meant(name: str | None) -> str:
    """Given a name or none, return it, or the name of the only lab. Raise LabError if not one."""
    return name or lab.sole()


@command.command()
@click.option(
    "--name",
    default="default",
    show_default=True,
    shell_complete=names,
    help="A name for the lab.",
)
@click.option(
    "--suite",
    default="trixie",
    show_default=True,
    shell_complete=_suites,
    help="The Debian release in it.",
)
@click.option("--disk", "disks", multiple=True, metavar="ID=SIZE", help="Instead of the defaults.")
@click.option("--yes", is_flag=True, help="Install what this machine lacks without asking.")
@_json
def up(name: str, suite: str, disks: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Make a lab, or boot it if it was stopped.

    \b
    Example:
      clup lab up --name second --disk virtio-LABDATA=1G
    """
    wanted = tuple(parse_disk(text) for text in disks) or lab.DEFAULT_DISKS
    cut = f"`clup lab up --name {name}` starts over, `clup lab down --name {name}` removes the rest"
    with answering("up", cut, as_json):
        lab.up(name, disks=wanted, say=say, suite=suite, confirm=asker(yes))


@command.command()
@_name
@click.option("--all", "everything", is_flag=True, help="Remove every lab.")
@_json
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
@_json
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


def described(seen: lab.Seen) -> dict[str, object]:
    """Given a lab as it was found, return it as JSON: sizes in bytes, paths as text."""
    known: dict[str, object] = {"name": seen.name, "state": seen.state}
    if seen.lab is None:
        return known
    return {
        **known,
        "kind": seen.lab.kind,
        "suite": seen.lab.suite,
        "address": seen.lab.address,
        "port": seen.lab.port,
        "user": seen.lab.user,
        "key_file": str(seen.lab.key_file),
        "known_hosts_file": str(seen.lab.known_hosts_file),
        "folder": str(seen.lab.folder),
        "disks": [
            {"id": disk.id, "size": disk.size, "file": str(seen.lab.disk_file(disk.id))}
            for disk in seen.lab.disks
        ],
    }


def row(seen: lab.Seen) -> str:
    """Given a lab as it was found, return its line in the list."""
    if seen.lab is None:
        return f"{seen.name:<16} {seen.state}"
    disks = ", ".join(f"{disk.id} {disk.size >> 20} MiB" for disk in seen.lab.disks)
    return f"{seen.name:<16} {seen.state:<11} {seen.lab.suite} port {seen.lab.port}  {disks}"


@command.command(context_settings={"ignore_unknown_options": True})
@_name
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
@_name
@_json
def reboot(name: str | None, as_json: bool) -> None:
    """Shut a lab's machine down and boot it again, with its disks.

    \b
    Example:
      clup lab reboot --name second
    """
    with answering("reboot", "`clup lab up` boots it if it is down", as_json):
        lab.reboot(meant(name), say)
