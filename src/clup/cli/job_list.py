"""`clup job list`: what there is to run, and what runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click
from pyinfra.api.host import Host

from clup.cli.job_session import on_one, tell
from clup.cli.session import Session
from clup.cli.target import Target, machines
from clup.jobs import client
from clup.jobs.client import LONGEST_PAGE
from clup.jobs.ends import summary
from clup.jobs.harmless import plain


@click.command("list")
@machines
def listed(target: Target) -> None:
    """List the jobs that there are to run, with their parameters, and those that run or wait.

    \b
    Example:
      clup job list inventories/example.py
    """
    on_one("job list", target, _list)


def _list(session: Session, host: Host) -> None:
    catalogue = client.ask(host, "GET", "/v1/catalogue")["jobs"]
    now = [
        job
        for state in ("running", "queued")
        for job in client.listing(host, LONGEST_PAGE, state=state)
    ]
    tell(session, host, catalogue=catalogue, now=now)
    session.screen.lines([plain(line) for entry in catalogue for line in lines_of(entry)])
    session.screen.lines([f"{host.name}: {len(catalogue)} jobs to run, {len(now)} run or wait"])
    session.screen.lines([f"  {plain(summary(job))}" for job in now])


def lines_of(entry: Mapping[str, Any]) -> Iterator[str]:
    """Given a job of the catalogue, yield its line and one for each parameter."""
    yield f"{entry['name']}: {entry['description']} ({entry['seconds']} s at most)"
    schema = entry["parameters"]
    required = schema.get("required", [])
    for name, each in schema.get("properties", {}).items():
        about = f": {each['description']}" if "description" in each else ""
        yield f"  {name}={takes(each)}{'' if name in required else _default(each)}{about}"


def _default(schema: Mapping[str, Any]) -> str:
    return f", {schema['default']} by default" if "default" in schema else ", may be left out"


def takes(schema: Mapping[str, Any]) -> str:
    """Given a parameter's schema, say in a word what it takes."""
    if "enum" in schema:
        return "|".join(schema["enum"])
    if schema.get("type") == "integer":
        return f"{schema['minimum']} to {schema['maximum']}"
    return str(schema.get("pattern", "text")).removeprefix("^(?:").removesuffix(")$")
