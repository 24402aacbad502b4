"""Follows a job to its end on the operator's screen, through broken connections and Ctrl-C."""

from __future__ import annotations

import click
from pyinfra.api.host import Host

from clup.cli.ask import is_terminal
from clup.cli.job_output import Output
from clup.cli.job_session import tell
from clup.cli.session import Session
from clup.jobs import client
from clup.jobs.client import Event, FaultError, Following
from clup.jobs.ends import LEFT, exit_code, is_over, summary
from clup.jobs.harmless import plain


def watch(session: Session, host: Host, following: Following) -> None:
    """Show a job's output as it comes; end with the job's exit code.

    Ctrl-C leaves the job, which goes on; somebody at a terminal is asked whether it shall end.
    """
    output = Output(only_stderr=session.target.as_json)
    while True:
        try:
            for event in client.follow(host, following):
                _show(session, output, following, event)
            break
        except KeyboardInterrupt:
            output.end()
            if not _shall_end(following):
                _leave(session, host, following)
                return
            client.ask(host, "POST", f"/v1/jobs/{following.job_id}/cancel")
            session.screen.step("asked for its end: SIGTERM, and SIGKILL 10 s later")
        except (FaultError, OSError):
            output.end()
            if following.job_id:
                session.screen.error(left(following.job_id, session.target.inventory))
            raise
    output.end()
    tell(session, host, job=following.job)
    session.exit = exit_code(following.job)
    if is_over(following.job):
        session.screen.step(plain(summary(following.job)))


def _show(session: Session, output: Output, following: Following, event: Event) -> None:
    name = event["event"]
    if name == "output":
        output.write(event["stream"], client.output(event))
    elif name == "truncated":
        output.end()
        session.screen.error(f"of its output no more than these {event['bytes']} bytes are kept")
    elif name == "broken":
        output.end()
        session.screen.step(f"the connection broke ({event['reason']}); trying to go on from there")
    elif name == "state":
        output.end()
        session.screen.step(f"still {event['state']}")
    elif name == "job" and not is_over(event["job"]):
        job = event["job"]
        session.state = left(job["id"], session.target.inventory)
        session.screen.step(plain(f"{job['job']}: {job['state']} as {job['id']}"))


def _shall_end(following: Following) -> bool:
    """Whether whoever is at the terminal wants the job to end. A second Ctrl-C is a no."""
    if not following.job_id or not is_terminal():
        return False
    try:
        return click.confirm("The job goes on by itself. Shall it end?", default=False, err=True)
    except (click.Abort, KeyboardInterrupt):
        return False


def _leave(session: Session, host: Host, following: Following) -> None:
    session.exit = LEFT
    if following.job:
        tell(session, host, job=following.job)
    session.document["error"] = left(following.job_id, session.target.inventory)
    session.screen.error(session.document["error"])


def left(job_id: str, inventory: str | None) -> str:
    """Given the id of a job that nobody waits for any more, say how to come back to it."""
    where = f" {inventory}" if inventory else ""
    if not job_id:
        return f"interrupted; whether the job was taken, `clup job history{where}` tells"
    return (
        f"the job goes on; `clup job logs {job_id}{where} --follow` comes back to it,"
        f" `clup job cancel {job_id}{where}` ends it"
    )
