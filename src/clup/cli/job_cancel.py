"""`clup job cancel`: the end of a job."""

from __future__ import annotations

import click
from pyinfra.api.host import Host

from clup.cli.job_session import job_id, on_one, tell
from clup.cli.session import Session
from clup.cli.target import Target, machines
from clup.jobs import client
from clup.jobs.ends import is_over, summary
from clup.jobs.harmless import plain

_SECONDS = 30
"""A job has 10 s to end by itself before it is killed."""


@click.command("cancel")
@job_id
@machines
def cancel(target: Target, job_id: str) -> None:
    """End the job ID, queued or running, and say how it ended; the beginning of its id is enough.

    \b
    Example:
      clup job cancel 3f2a9c01 inventories/example.py

    It gets SIGTERM, and SIGKILL 10 s later. One that has ended stays as it is. Exit 0 when it has
    ended, 1 when it has not within 30 s.
    """
    on_one("job cancel", target, lambda session, host: _cancel(session, host, job_id))


def _cancel(session: Session, host: Host, begun: str) -> None:
    found = client.find(host, begun)
    session.state = f"whether {found} was asked to end, `clup job history` tells"
    job = client.ask(host, "POST", f"/v1/jobs/{found}/cancel")
    if not is_over(job):
        session.screen.step(f"{host.name}: waiting for its end, {_SECONDS} s at most")
        job = client.ask(host, "GET", f"/v1/jobs/{found}", wait=_SECONDS)
    tell(session, host, job=job)
    session.screen.lines([plain(summary(job))])
    if not is_over(job):
        session.deployment.fail(host, f"{found} has not ended yet; `clup job history` tells")
