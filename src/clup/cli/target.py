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

    def call(
        inventory: str | None, limit: tuple[str, ...], role: str | None, json: bool, **options: Any
    ) -> Any:
        return function(Target(inventory, limit, role, json), **options)

    call.__name__, call.__doc__ = function.__name__, function.__doc__
    call.__click_params__ = getattr(function, "__click_params__", [])  # type: ignore[attr-defined]
    for decorate in (
        click.option("--json", is_flag=True, help="Print one JSON document on stdout."),
        click.option(
            "--role", shell_complete=_roles, callback=_known, help="Only this role, or a,b,c."
        ),
        click.option("--limit", multiple=True, metavar="HOST", help="Only this host or group."),
        click.argument("inventory", required=False, shell_complete=_inventories),
    ):
        call = decorate(call)
    return call  # type: ignore[return-value]


def inventory_of(given: str | None) -> str:
    """Given INVENTORY as typed, return it for pyinfra; left out, it is a lab that is up.

    A path counts from where the command was typed, or from the checkout. Raise LabError when it
    was left out and neither CLUP_LAB names a lab nor exactly one is up.
    """
    if given is None:
        from clup import lab

        lab.only(os.environ.get("CLUP_LAB"))
        return "inventories/lab.py"
    typed = Path(given)
    return str(typed.resolve()) if typed.is_file() else given


def _inventories(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    found = [f"inventories/{path.name}" for path in (ROOT / "inventories").glob("*.py")]
    return sorted(name for name in [*found, "@local"] if name.startswith(typed))


def _known(_context: click.Context, _parameter: click.Parameter, given: str | None) -> str | None:
    """Return the roles as typed; wrong usage unless there are such roles."""
    for name in given.split(",") if given is not None else []:
        if name not in (known := _roles(_context, _parameter, "")):
            raise click.BadParameter(f"{name!r} is no role; there are {', '.join(known)}")
    return given


def _roles(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    from roles import ROLES

    return [role.name for role in ROLES if role.name.startswith(typed)]
