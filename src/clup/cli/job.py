"""`clup job`: the jobs of a machine, run by name and followed, through its runner."""

from __future__ import annotations

import click

from clup.cli import Suggesting
from clup.cli.job_audit import audit
from clup.cli.job_cancel import cancel
from clup.cli.job_history import history
from clup.cli.job_list import listed
from clup.cli.job_logs import logs
from clup.cli.job_run import run_job


@click.group(cls=Suggesting, name="job")
def command() -> None:
    """Run jobs on a machine, follow them, and see what was run.

    \b
    Example:
      clup job list inventories/example.py
      clup job run audit inventories/example.py repository=clup
      clup job history inventories/example.py --state failed

    Jobs are files that root reviewed; a job is named and given typed parameters, nothing more.
    """


for each in (listed, run_job, logs, cancel, history, audit):
    command.add_command(each)
