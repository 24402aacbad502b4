"""`clup check`: judge the settings of all hosts; contact nothing."""

from __future__ import annotations

import json

import click

from clup.cli.target import Target, target


@click.command()
@click.option("--schema", is_flag=True, help="Print the JSON Schema of all settings instead.")
@target
def command(target: Target, schema: bool) -> None:
    """Judge the settings of every host as a whole. No machine is contacted.

    \b
    Example:
      clup check inventories/example.py

    Each problem is a line: At PATH: value, reason; cure. Exit 0 when there is none, 3 when there
    are, 1 when there is no such inventory or host. All hosts are judged, as `plan` and `apply` do;
    --limit only shortens the list of those that are valid.
    """
    if schema:
        from roles import Settings

        click.echo(json.dumps(Settings.model_json_schema(), indent=2))
        return
    from clup.cli.session import Session, run

    def work(session: Session) -> None:
        names = [host.name for host in session.deployment.hosts]
        session.screen.lines([f"{name}: settings are valid" for name in names])

    run("check", target, work)
