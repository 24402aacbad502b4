"""`python -m clup.cli.documentation`: write the pages of docs/ that are made from the code."""

from __future__ import annotations

import textwrap

import click

from clup.cli import group
from clup.cli.target import ROOT
from clup.compose.catalogue import CATALOGUE
from clup.compose.rule import Rule
from clup.compose.waiver import Waiver
from clup.documentation import command_page, model_page
from roles import Settings

_MADE = "<!-- Made by `.venv/bin/python -m clup.cli.documentation`. Do not edit. -->"

_SETTINGS = """# Settings

What may be said about a machine in `group_data/`, role by role. What you leave out has the
default shown here, so write only what differs. `./clup check INVENTORY` judges all of it and
contacts nothing; `./clup check --schema` prints the same as a JSON Schema.

`group_data/` is the checkout's, and the one in the folder in which the inventory's file lies: no
other is read.

One file of `group_data/` is one layer, and layers merge deeply. From the most general to the
most specific: `all.py`, the groups in the order in which the inventory names them, the group of
the inventory's file, the host's own data in the inventory, `--data` of pyinfra. A mapping is
merged key by key; any other value, a list too, replaces the one before. Where a mapping has
entries by default (users, folders, kernel settings), `None` takes one of them away.

NAME in a heading stands for a key that you choose.
"""

_COMMANDS = """# Commands

Each section is what `--help` prints. INVENTORY is a file such as `inventories/example.py`, or
`@local` for the machine that you are on. It may be left out when exactly one lab is up, or when
`CLUP_LAB` in the environment names one.

| exit code | meaning |
|---|---|
| 0 | done; for `plan`: nothing to change; for `verify`: all checks hold; for `drift`: both |
| 1 | failed: a machine was not reached, something was refused, a change failed |
| 2 | `plan`: changes are pending; `verify`: a check failed; `drift`: either of them |
| 3 | the settings are invalid; nothing was contacted |
| 64 | wrong usage |
| 120 to 125, 130 | `job run`, `job logs --follow`: what is no end of the job by itself |

With `--json` one document goes to stdout whatever happens. Progress and errors go to stderr. It
always has `command`, `exit` and `hosts`, in which each machine has `errors` (a list of lines) and
`commands` (how many were run there); `error` is a line, and is there only when the command failed
as a whole. What else there is depends on the command: `problems` when the settings are invalid,
each machine's `operations`, `checks`, `settings`, its `job` or `jobs`, the `findings` about its
audit chain or what is `unmanaged`, a runner's `fault`, the `labs`.
"""

_INVARIANTS = """# Invariants

What holds for every container that a stack of clup's describes, and for every one that runs of it.
The same rules judge a rendered file, before anything is uploaded, and a live container, as `docker
inspect` prints it. What breaks one is named with its path, value, reason, cure and the rule's id.

Containers of no stack, such as those that somebody started by hand, are held to one thing, where
the job runner is enabled: none that runs has Docker's socket, or containerd's, or a folder above
them, and none is privileged. `runner.docker` names those that may: why, who, until when.

A container is a service, which stays up, or a job, which ends: it has the label `clup.class: job`.
The guard is the one container that may hold Docker's socket, guard and runner alone mount the key
between them, and the runner alone its callers' tokens. They are known by the names that their role
gives them, never by what their own file says.

Sources: the CIS Docker Benchmark by its numbers; the documents that this project began with (seeds)
by their sections; traps that were met when it was tried; the rules of the design.
"""

_WAIVERS = """## Waivers

A rule is set aside for one service by a waiver. One that is over, names no rule or sets nothing
aside is a problem itself, so that none outlives what it was for.
"""


def settings_page() -> str:
    """Return docs/settings.md."""
    lines = [_MADE, "", _SETTINGS]
    for role, field in Settings.model_fields.items():
        model = field.annotation
        assert isinstance(model, type), f"the role {role} has no model"
        lines += model_page(role, model, level=2)
    return _text(lines)


def commands_page() -> str:
    """Return docs/commands.md."""
    return _text([_MADE, "", _COMMANDS, *command_page("clup", group)])


def invariants_page() -> str:
    """Return docs/invariants.md."""
    lines = [_MADE, "", _INVARIANTS]
    for rule in CATALOGUE:
        lines += _rule(rule)
    return _text([*lines, _WAIVERS, *model_page("waivers.N", Waiver, level=3)])


def _rule(rule: Rule) -> list[str]:
    holds = " and ".join(f"{kind}s" for kind in rule.kinds)
    return [
        f"## {rule.id}",
        "",
        textwrap.fill(f"{rule.title}. {rule.reason}", 100),
        "",
        textwrap.fill(f"Holds for {holds}. Source: {rule.source}.", 100),
        "",
    ]


PAGES = {
    "docs/settings.md": settings_page,
    "docs/commands.md": commands_page,
    "docs/invariants.md": invariants_page,
}
"""The pages by their path in the checkout."""


def _text(lines: list[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


@click.command()
def write() -> None:
    """Write the pages of docs/ that are made from the code."""
    for path, page in PAGES.items():
        (ROOT / path).write_text(page(), encoding="utf-8")
        click.echo(path)


if __name__ == "__main__":
    write()
