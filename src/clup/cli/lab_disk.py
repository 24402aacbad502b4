"""`clup lab disk`: disks that come and go while a lab lives."""

import click

from clup import lab
from clup.cli import Suggesting
from clup.cli.lab_options import (
    answering,
    disk_ids,
    json_option,
    meant,
    name_option,
    parse_disk,
    say,
)


@click.group(cls=Suggesting)
def disk() -> None:
    """Put disks into a lab that is a virtual machine, and pull them out.

    \b
    Example:
      clup lab disk add virtio-SPARE=512M
      clup lab disk detach virtio-SPARE
    """


@disk.command()
@name_option
@click.argument("wanted", metavar="ID[=SIZE]")
@click.option("--read-only", is_flag=True, help="The machine may read it only.")
@json_option
def add(name: str | None, wanted: str, read_only: bool, as_json: bool) -> None:
    """Attach a new, blank disk, or with its content one that was detached.

    \b
    Example:
      clup lab disk add virtio-SPARE=512M
    """
    new = parse_disk(wanted) if "=" in wanted else None
    with answering("disk add", "`clup lab list` tells which disks it has", as_json):
        which, size = (new.id, new.size) if new else (wanted, None)
        lab.disk_add(meant(name), which, size, read_only=read_only, say=say)


@disk.command()
@name_option
@click.argument("which", metavar="ID", shell_complete=disk_ids)
@json_option
def detach(name: str | None, which: str, as_json: bool) -> None:
    """Pull a disk out, whether it is in use or not; its content is kept.

    \b
    Example:
      clup lab disk detach virtio-SPARE
    """
    with answering("disk detach", "`clup lab list` tells which disks it has", as_json):
        lab.disk_detach(meant(name), which, say=say)
