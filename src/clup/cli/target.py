"""What the commands about machines have in common: INVENTORY, --limit, --role, --json."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

ROOT = Path(__file__).resolve().parents[3]
"""The checkout: where config.py, inventories, group_data and deploys lie."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Target:
    """Which machines a command is about, and how it answers."""

    inventory: str | None
    limit: tuple[str, ...]
    role: str | None
    as_json: bool


def target(function: Command) -> Command:
    """Give a click command the options that make a Target, which it gets as `target`."""
    role = click.option(
        "--role",
        multiple=True,
        shell_complete=_roles,
        callback=_known,
        help="Only this role, or a,b,c. May be given several times.",
    )
    return _with_options(function, role)


def machines(function: Command) -> Command:
    """Give a click command a Target as `target`, in which no role is chosen."""
    return _with_options(function)


def _with_options(function: Command, *further: Callable[[Any], Any]) -> Command:
    def call(
        inventory: str | None,
        limit: tuple[str, ...],
        json: bool,
        role: str | None = None,
        **options: Any,
    ) -> Any:
        return function(Target(inventory, limit, role, json), **options)

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    call.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    for decorate in (
        click.option("--json", is_flag=True, help="Print one JSON document on stdout."),
        *further,
        click.option(
            "--limit",
            multiple=True,
            metavar="HOST",
            shell_complete=_hosts,
            help="Only this host or group. May be given several times. Settings are judged of all.",
        ),
        click.argument("inventory", required=False, shell_complete=_inventories),
    ):
        call = decorate(call)
    return call  # type: ignore[return-value]


def inventory_of(given: str | None) -> str:
    """Given INVENTORY as typed, return it for pyinfra; left out, it is a lab that is up.

    A path counts from where the command was typed, or from the checkout; `claw` is
    `inventories/claw.py` where there is one. Raise DeploymentError when it was left out and
    neither CLUP_LAB names a lab nor exactly one is up.
    """
    if given is None:
        return _the_lab()
    typed = Path(given)
    if typed.is_file():
        return str(typed.resolve())
    named = f"inventories/{given}.py"
    return named if "/" not in given and (ROOT / named).is_file() else given


def _the_lab() -> str:
    from clup import lab
    from clup.inventories import DeploymentError

    try:
        lab.only(os.environ.get("CLUP_LAB"))
    except lab.LabError as error:
        others = sorted(set(_listed()) - {"inventories/lab.py"})
        raise DeploymentError(f"{error}, or name your inventory: {', '.join(others)}") from error
    return "inventories/lab.py"


def _listed() -> list[str]:
    return [f"inventories/{path.name}" for path in (ROOT / "inventories").glob("*.py")]


def _inventories(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    return sorted(name for name in [*_listed(), "@local"] if name.startswith(typed))


def _hosts(context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Complete a host or group of the inventory that was typed before; contact nothing."""
    from clup import inventories
    from clup.deployment import Deployment

    # click leaves the arguments as they are when the last option still lacks its value.
    given = context.params.get("inventory") or next(iter(context.args), None)
    try:
        loaded = Deployment(ROOT, inventory_of(given)).inventory
    except inventories.DeploymentError:
        return []
    return [name for name in inventories.names(loaded) if name.startswith(typed)]


def _known(
    _context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]
) -> str | None:
    """Return the roles, joined by commas; wrong usage unless there are such roles."""
    known = _all_roles()
    wanted = [name for words in given for name in words.split(",")]
    for name in wanted:
        if name not in known:
            raise click.BadParameter(f"{name!r} is no role; there are {', '.join(known)}")
    return ",".join(dict.fromkeys(wanted)) or None


def _roles(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Complete the last of several roles, by one that is not yet among them."""
    before, comma, begun = typed.rpartition(",")
    there = before.split(",")
    return [
        before + comma + name
        for name in _all_roles()
        if name.startswith(begun) and name not in there
    ]


def _all_roles() -> list[str]:
    from roles import ROLES

    return [role.name for role in ROLES]
