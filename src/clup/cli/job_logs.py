"""`clup job logs`: what a job printed, or prints."""

from __future__ import annotations

import click
from pyinfra.api.host import Host

from clup.cli.job_output import Output
from clup.cli.job_session import job_id, on_one, tell
from clup.cli.job_watch import watch
from clup.cli.session import FAILED, Session
from clup.cli.target import Target, machines
from clup.jobs import client
from clup.jobs.client import Following
from clup.jobs.ends import REFUSED, UNKNOWN


@click.command("logs")
@job_id
@click.option("--follow", "-f", is_flag=True, help="Go on until it ends, as `run` does.")
@machines
def logs(target: Target, job_id: str, follow: bool) -> None:
    """Print what the job ID has printed so far; the beginning of its id is enough.

    \b
    Example:
      clup job logs 3f2a9c01 inventories/example.py --follow

    Without --follow all of it goes to stdout, and the exit code is 0. With it the streams are kept
    apart, and the exit code is that of `clup job run`.
    """

    def work(session: Session, host: Host) -> None:
        found = client.find(host, job_id)
        if follow:
            watch(session, host, Following({}, found))
            return
        output = Output(only_stderr=session.target.as_json)
        for event in client.talk(host, {"do": "output", "id": found}):
            if event["event"] == "output":
                output.write(event["stream"], client.output(event))
        output.end()
        tell(session, host, id=found)

    codes = (REFUSED, UNKNOWN) if follow else (FAILED, FAILED)
    on_one("job logs", target, work, *codes)
