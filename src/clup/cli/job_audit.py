"""`clup job audit`: what the audit chain says of a job."""

from __future__ import annotations

import click
from pyinfra.api.host import Host

from clup.cli.job_session import job_id, on_one, tell
from clup.cli.session import Session
from clup.cli.target import Target, machines
from clup.jobs import records
from clup.jobs.harmless import plain


@click.command("audit")
@job_id
@machines
def audit(target: Target, job_id: str) -> None:
    """Show the audit lines of the job ID, one for each change of its state; they are read from the
    exported chain, whether or not the runner is up.

    \b
    Example:
      clup job audit 3f2a9c01 inventories/example.py

    `clup audit verify` proves that nothing of the chain is missing or altered.
    """

    def work(session: Session, host: Host) -> None:
        found = records.of_job(host, job_id)
        tell(session, host, lines=found)
        session.screen.lines([plain(line) for line in map(records.shown, found)])

    on_one("job audit", target, work)
