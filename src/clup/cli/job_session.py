"""What the commands about jobs share: the one machine that they are about, and its faults."""

from __future__ import annotations

from collections.abc import Callable

import click
from pyinfra.api.host import Host

from clup.cli.session import FAILED, Session, run
from clup.cli.target import ROOT, Target
from clup.inventories import DeploymentError
from clup.jobs.client import FaultError

STATES = (
    "queued", "running", "succeeded", "failed", "timed_out", "cancelled", "interrupted", "error",
)  # fmt: skip
"""The states of a job, as the runner has them."""


def names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Complete the name of a job by the project's own files of jobs; contact nothing."""
    found = {path.name.partition(".")[0] for path in (ROOT / "jobs").glob("*.yaml*")}
    return sorted(name for name in found if name.startswith(typed))


job_id = click.argument("job_id", metavar="ID")
"""The beginning of a job's id is enough."""


def on_one(
    command: str,
    target: Target,
    work: Callable[[Session, Host], None],
    refused: int = FAILED,
    failed: int = FAILED,
) -> None:
    """Run a command's work on its one machine, and end the process with its exit code.

    That is `refused` when the runner refuses, `failed` when the machine or its runner cannot be
    asked.
    """

    def whole(session: Session) -> None:
        host = only(session)
        session.connect(changes=False)
        if host not in session.deployment.active:
            return
        with session.deployment.alone(host):
            try:
                work(session, host)
            except FaultError as error:
                session.document["fault"] = {"code": error.code, "problems": error.problems}
                session.deployment.errors.setdefault(host.name, []).append(str(error))
                session.exit = failed if error.code in _UNASKED else refused

    run(command, target, whole, failed=failed)


_UNASKED = ("unreachable", "no_runner", "no_token", "stranger", "unauthorized")
"""Faults after which nothing is known of the job."""


def only(session: Session) -> Host:
    """Return the machine that a session is about. Raise DeploymentError when there are several."""
    hosts = session.deployment.hosts
    if len(hosts) > 1:
        names = ", ".join(host.name for host in hosts)
        raise DeploymentError(f"a job belongs to one machine; say --limit with one of {names}")
    return hosts[0]


def tell(session: Session, host: Host, **known: object) -> None:
    """Put what is known of a host into the document."""
    session.document["hosts"][host.name] |= known
