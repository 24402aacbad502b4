"""A table of the kernel's firewall: loaded by a unit of its own, and compared as it is live."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup.command import sh
from clup.facts.firewall import Table
from clup.facts.units import Units
from clup.operations.files import File, configured
from clup.operations.steps import Steps, ensure
from clup.operations.systemd import is_up


@operation()
def loaded(
    family: str,
    table: str,
    rules: Sequence[str],
    files: Sequence[File],
    unit: str,
    pending: str,
    among: tuple[str, ...] = (),
) -> Steps:
    """Have a table of rules, given as nft lists it, live now and loaded by `unit` from every boot.

    `files` are the rules' own and the unit's. Somebody who flushed the rules is found, too.
    """
    gone = _wrong(family, table, rules, unit)
    changed = False
    for step in configured._inner(
        files=files,
        then=[
            sh("systemctl", "--quiet", "--no-reload", "reenable", unit),
            sh("systemctl", "daemon-reload"),
            sh("systemctl", "restart", unit),
        ],
        pending=pending,
        because=f"table {table}: {gone}" if gone else "",
        among=among,
    ):
        changed = True
        yield step
    if changed:
        yield ensure(f"table {table}", lambda: _wrong(family, table, rules, unit))


def lacking(rules: Sequence[str], listed: Sequence[str]) -> list[str]:
    """Given a table's lines as they should be and as nft lists them, return those that are missing.

    Their order counts: what is accepted first is not dropped.
    """
    if list(listed) == list(rules):
        return []
    missing = [line for line in rules if line not in listed]
    return missing or ["the order of its rules, or their number"]


def _wrong(family: str, table: str, rules: Sequence[str], unit: str) -> str | None:
    listed: list[str] = host.get_fact(Table, family=family, table=table)
    if gone := lacking(rules, listed):
        return f"the firewall lacks {gone[0]}" + (f" and {len(gone) - 1} more" if gone[1:] else "")
    if not is_up(host.get_fact(Units, names=(unit,)).get(unit), enabled=True):
        return f"{unit} does not load it at boot"
    return None
