"""`clup audit`: whether the record of what was run is whole."""

from __future__ import annotations

from dataclasses import asdict

import click
from pyinfra.api.host import Host

from clup.cli import Suggesting
from clup.cli.job_session import on_one, tell
from clup.cli.session import PENDING, Session
from clup.cli.target import Target, machines
from clup.jobs import records
from clup.jobs.harmless import plain


@click.group(cls=Suggesting, name="audit")
def command() -> None:
    """Prove that the audit chain of a machine's jobs is whole.

    \b
    Example:
      clup audit verify inventories/example.py
    """


@command.command()
@machines
def verify(target: Target) -> None:
    """Fetch the audit chain of a machine and the guard's record of its heads, and judge both here.

    \b
    Example:
      clup audit verify inventories/example.py

    \b
    torn     the last line is not whole: a crash; the runner completes it when it starts
    cut      lines are missing: in the middle, or at the end, which the guard's record tells
    altered  a line is not what was written

    Exit 0 when it is whole, 2 when it is not, 1 when it could not be read. Nothing is changed.
    """
    on_one("audit verify", target, _verify)


def _verify(session: Session, host: Host) -> None:
    session.screen.step(f"{host.name}: reading the chain and the guard's ledger")
    judged = records.judge(host)
    verdict = judged.verdict
    tell(
        session, host, lines=verdict.lines, head=verdict.head, heads=judged.heads,
        findings=[asdict(each) for each in verdict.findings],
    )  # fmt: skip
    session.screen.lines([f"  {plain(str(each))}" for each in verdict.findings])
    if verdict.findings:
        session.exit = PENDING
        session.screen.lines([
            f"{host.name}: NOT whole: {len(verdict.findings)} findings in {verdict.lines} lines;"
            " keep a copy of both before anybody touches them"
        ])  # fmt: skip
        return
    session.screen.lines([
        f"{host.name}: whole: {verdict.lines} lines, and all {judged.heads} heads that the guard"
        f" saw; the last is {verdict.head[:12]}"
    ])  # fmt: skip
