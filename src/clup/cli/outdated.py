"""A checkout that is older than what was applied last: it does not know what came since."""

from __future__ import annotations

import click
from pyinfra.api.host import Host

from clup import journal, revision
from clup.cli.target import ROOT

option = click.option(
    "--older", is_flag=True, help="Go on although a later revision was applied before."
)


def objection(host: Host, now: str, older: bool) -> str | None:
    """Given a host whose lock is held and the revision at hand, say why not to change the host.

    None when nothing speaks against it, or when it was said to go on with an `older` one.
    """
    if older:
        return None
    try:
        last = journal.last(host)
    except ValueError as error:
        return str(error)
    if last is None:
        return None
    reason = revision.objection(ROOT, last.revision, now)
    return f"{reason} ({last.time}, {last.who}); pull first, or say --older" if reason else None
