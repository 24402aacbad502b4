"""`clup job run`: a job, from its name to its exit code."""

from __future__ import annotations

from dataclasses import replace

import click
from pyinfra.api.host import Host

from clup.cli.job_session import names, on_one, tell
from clup.cli.job_watch import left, watch
from clup.cli.session import Session
from clup.cli.target import Target, machines
from clup.jobs import client, words
from clup.jobs.client import Following
from clup.jobs.ends import REFUSED, UNKNOWN
from clup.jobs.harmless import plain


@click.command("run")
@click.argument("name", shell_complete=names)
@click.option("--param", "pairs", multiple=True, metavar="NAME=VALUE", help="A parameter.")
@click.option("--detach", is_flag=True, help="Do not wait: print the job's id and end with 0.")
@machines
@click.argument("more", nargs=-1, metavar="[NAME=VALUE]...")
def run_job(
    target: Target, name: str, pairs: tuple[str, ...], detach: bool, more: tuple[str, ...]
) -> None:
    """Run the job NAME with parameters, show what it prints, end with its exit code.

    \b
    Example:
      clup job run audit inventories/example.py repository=clup level=high

    What it prints goes to stdout and stderr as it comes; with --json all of it goes to stderr.
    A connection that breaks is made anew, and nothing of it is lost or shown twice. Ctrl-C leaves
    the job, which goes on; at a terminal you are asked whether it shall end.

    \b
    Exit codes that are no job's own:
      120  it could not be begun          124  it ran longer than it may
      121  cancelled                      125  the machine or its runner could not be asked
      122  interrupted: something died    130  Ctrl-C; the job goes on
      123  the runner did not take it       3  the settings are invalid (64: wrong usage)
    A job may end with one of these by itself: the last line on stderr, and `state` with `exit_code`
    in the document, tell them apart. One that failed never gives 0.
    """
    given = [] if target.inventory is None else [target.inventory]
    try:
        inventory, positional = words.split([*given, *more])
        parameters = words.parameters([*pairs, *positional])
    except words.WordError as error:
        raise click.UsageError(str(error)) from None
    request = client.order(name, parameters, detach)

    def work(session: Session, host: Host) -> None:
        session.state = "whether the job was taken, `clup job history` tells"
        if detach:
            _begin(session, host, Following(request))
        else:
            watch(session, host, Following(request))

    on_one("job run", replace(target, inventory=inventory), work, REFUSED, UNKNOWN)


def _begin(session: Session, host: Host, following: Following) -> None:
    for _ in client.follow(host, following):
        pass
    tell(session, host, job=following.job)
    session.screen.lines([following.job_id])
    session.screen.step(plain(left(following.job_id, session.target.inventory)))
