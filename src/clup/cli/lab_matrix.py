"""`clup lab matrix`: one and the same site on each kind of lab, and what differs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from clup import lab
from clup.cli import answer
from clup.cli.ask import asker
from clup.cli.lab_options import failing, json_option, say
from clup.cli.target import ROOT
from clup.lab.driver import KINDS

if TYPE_CHECKING:
    from rich.table import Table

T = TypeVar("T")
SITE = "inventories/lab.py"
DIFFERENT = 2


@dataclass(frozen=True)
class Row:
    """What one kind of lab did: durations in seconds, counts of operations and of checks."""

    kind: str
    up_s: float
    apply_s: float
    changed: int
    again_s: float
    again_changed: int
    passed: int
    failed: int
    untestable: int
    reboot_s: float
    after_reboot_passed: int
    after_reboot_failed: int

    @property
    def is_well(self) -> bool:
        """Whether the second apply had nothing to do and no check failed."""
        return not (self.again_changed or self.failed or self.after_reboot_failed)


@click.command()
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="Only this.")
@click.option("--keep", is_flag=True, help="Leave the labs up.")
@click.option("--yes", is_flag=True, help="Install what this machine lacks without asking.")
@json_option
def matrix(kinds: tuple[str, ...], keep: bool, yes: bool, as_json: bool) -> None:
    """Converge one and the same site on each kind of lab, one after the other, and compare.

    \b
    Example:
      clup lab matrix --kind container --kind vm

    Exit 0 when on every kind the second apply changed nothing and no check failed, also after a
    reboot; else 2. The labs are new, are named matrix-KIND, and are removed.
    """
    rows: list[Row] = []
    did: dict[str, set[str]] = {}
    left = "`clup lab down --name matrix-KIND` removes what is left"
    with failing("matrix", left, as_json):
        for kind in kinds or KINDS:
            row, changed = tried(kind, keep, yes)
            rows.append(row)
            did[kind] = changed
    code = 0 if all(row.is_well for row in rows) else DIFFERENT
    apart = only(did)
    if as_json:
        listed = [asdict(row) for row in rows]
        answer.write(answer.document("lab matrix", code, matrix=listed, only=apart))
    else:
        from rich.console import Console

        Console(width=100).print(table(rows))
        for kind, names in apart.items():
            click.echo(f"Only on {kind}: {', '.join(names) or 'nothing'}")
    sys.exit(code)


def tried(kind: str, keep: bool, yes: bool) -> tuple[Row, set[str]]:
    """Given a kind, make a lab of it and converge it. Return the row, and what was changed.

    Raise LabError.
    """
    name = name_of(kind)
    if name in {each.name for each in lab.seen()}:
        lab.down(name, say)
    up_s, _box = timed(lambda: lab.up(name, kind, say=say, confirm=asker(yes)))
    try:
        apply_s, first = timed(lambda: clup(kind, "apply", keep))
        again_s, again = timed(lambda: clup(kind, "apply", keep))
        seen = clup(kind, "verify", keep)
        reboot_s, _none = timed(lambda: lab.reboot(name, say))
        after = clup(kind, "verify", keep)
    finally:
        if not keep:
            lab.down(name, say)
    changed = operations(first, "changed")
    checks, later = counted(seen), counted(after)
    row = Row(
        kind, up_s, apply_s, len(changed), again_s, len(operations(again, "changed")),
        checks["passed"], checks["failed"], checks["untestable"],
        reboot_s, later["passed"], later["failed"],
    )  # fmt: skip
    return row, changed


def timed(act: Callable[[], T]) -> tuple[float, T]:
    """Given what to do, do it and return how many seconds that took, and its result."""
    began = time.monotonic()
    result = act()
    return round(time.monotonic() - began, 1), result


def name_of(kind: str) -> str:
    """Given a kind, return the name of its lab."""
    return f"matrix-{kind}"


def clup(kind: str, word: str, keep: bool) -> dict[str, Any]:
    """Given a lab's kind and whether it is kept, run a clup command on it; return its document.

    A process for each: what an operator types. Raise LabError when the command failed.
    """
    name = name_of(kind)
    say(f"{name}: {word}")
    argv = [sys.executable, "-P", "-m", "clup", word, SITE, "--json"]
    done = subprocess.run(
        argv,
        cwd=ROOT,
        env=os.environ | {"CLUP_LAB": name},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, DIFFERENT):
        last = done.stderr.strip().splitlines()[-1:]
        cure = f"`CLUP_LAB={name} clup {word} {SITE}` shows all of it"
        if not keep:
            cure = f"`clup lab matrix --kind {kind} --keep` leaves that lab up, and then {cure}"
        raise lab.LabError(" ".join(last) or "said nothing", f"clup {word} on lab {name}", cure)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def operations(document: Mapping[str, Any], status: str) -> set[str]:
    """Given the document of an apply, return the operations with this status."""
    return {
        f"{operation['role']}: {operation['name']}"
        for host in document["hosts"].values()
        for operation in host["operations"]
        if operation["status"] == status
    }


def counted(document: Mapping[str, Any]) -> Counter[str]:
    """Given the document of a verify, return how many checks have each status."""
    return Counter(
        check["status"]
        for host in document["hosts"].values()
        for results in host["checks"].values()
        for check in results
    )


def only(did: Mapping[str, set[str]]) -> dict[str, list[str]]:
    """Given what each kind's first apply changed, return for each what no other kind changed."""
    return {
        kind: sorted(changed.difference(*(did[other] for other in did if other != kind)))
        for kind, changed in did.items()
        if len(did) > 1
    }


def table(rows: Sequence[Row]) -> Table:
    """Given the rows, return them as a table: a column for each kind."""
    from rich.table import Table

    shown = Table("", *(row.kind for row in rows))
    for figure in fields(Row)[1:]:
        label = figure.name.replace("_s", " s") if figure.name.endswith("_s") else figure.name
        values = [str(getattr(row, figure.name)) for row in rows]
        shown.add_row(label.replace("_", " "), *values)
    return shown
