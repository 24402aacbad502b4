"""What the commands about labs share: their options, and how they answer."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import click

from clup import lab
from clup.cli import FAILED, answer
from clup.lab import machine
from clup.lab.machine import Disk

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Complete the name of a lab, in whatever state it is."""
    return [name for name in machine.recorded() if name.startswith(typed)]


def disk_ids(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Complete the id of a disk, of the lab that was named or of all."""
    known = [each.lab for each in lab.seen() if each.lab is not None]
    named = context.params.get("name")
    boxes = [box for box in known if named in (None, box.name)]
    return sorted({disk.id for box in boxes for disk in box.disks if disk.id.startswith(typed)})


name_option = click.option(
    "--name",
    shell_complete=names,
    help="The lab's name. Left out, it is CLUP_LAB, or the only one.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
)


def say(line: str) -> None:
    """Given a line of progress, write it to stderr: stdout belongs to results."""
    click.echo(line, err=True)


@contextmanager
def failing(word: str, interrupted: str, as_json: bool) -> Iterator[None]:
    """Turn a lab's error, or Ctrl-C with what is then to know, into one line and exit code 1.

    With --json that line comes as a document, too; whoever calls this says that all went well.
    """
    try:
        yield
        return
    except lab.LabError as error:
        line = str(error)
    except KeyboardInterrupt:
        line = f"interrupted; {interrupted}"
    click.echo(f"clup lab: {line}", err=True)
    if as_json:
        answer.write(answer.document(f"lab {word}", FAILED, error=line))
    sys.exit(FAILED)


@contextmanager
def answering(word: str, interrupted: str, as_json: bool = False) -> Iterator[None]:
    """Fail as `failing` does; with --json, when all went well, tell of the labs there are."""
    with failing(word, interrupted, as_json):
        yield
        found = lab.seen() if as_json else []
    if as_json:
        listed = [described(each) for each in found]
        answer.write(answer.document(f"lab {word}", 0, labs=listed))


def parse_disk(text: str) -> Disk:
    """Given ID=SIZE with a unit K, M or G of 1024s, return the disk. Raise click.BadParameter."""
    found = re.fullmatch(r"([^=]+)=(\d+)([KMG]?)", text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not ID=SIZE, such as virtio-SPARE=512M")
    return Disk(found[1], int(found[2]) * UNITS[found[3]])


def meant(name: str | None) -> str:
    """Given a name or none, return it, what CLUP_LAB says, or the name of the only lab.

    Raise LabError if there is not exactly one.
    """
    return name or os.environ.get("CLUP_LAB") or lab.sole()


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
            {**asdict(disk), "file": str(seen.lab.disk_file(disk.id))} for disk in seen.lab.disks
        ],
    }
