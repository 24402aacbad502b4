"""`clup job history`: what was run, by whom, and how it ended."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, takewhile

import click
from pyinfra.api.host import Host

from clup.cli.job_session import STATES, names, on_one, tell
from clup.cli.session import Session
from clup.cli.target import Target, machines
from clup.jobs import client
from clup.jobs.harmless import plain
from clup.jobs.history import SinceError, begin, row

MOST = 10_000


def _since(_context: click.Context, _parameter: click.Parameter, given: str | None) -> str | None:
    try:
        return begin(given, datetime.now(UTC)) if given else None
    except SinceError as error:
        raise click.BadParameter(str(error)) from None


@click.command("history")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--job", shell_complete=names, help="Only those of this name.")
@click.option("--caller", help="Only those that this caller asked for.")
@click.option(
    "--since", callback=_since, metavar="WHEN", help="30m, 12h, 7d ago or a date, in UTC."
)
@click.option(
    "--most", type=click.IntRange(1, MOST), default=20, show_default=True, help="So many."
)
@machines
def history(
    target: Target,
    state: str | None,
    job: str | None,
    caller: str | None,
    since: str | None,
    most: int,
) -> None:
    """List the jobs that were asked for, the newest first.

    \b
    Example:
      clup job history inventories/example.py --state failed --since 7d
    """

    def work(session: Session, host: Host) -> None:
        newest = client.listing(host, MOST if caller else most, state=state, job=job)
        fresh = takewhile(lambda each: since is None or each["created"] >= since, newest)
        wanted = (each for each in fresh if caller in (None, each["caller"]))
        found = list(islice(wanted, most))
        tell(session, host, jobs=found)
        session.screen.lines([plain(row(each)) for each in found])
        session.screen.lines([f"{host.name}: {len(found)} jobs"])

    on_one("job history", target, work)
