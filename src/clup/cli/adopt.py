"""`clup adopt`: the settings that describe machines as they are, ready for `group_data`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from pyinfra.api.host import Host

from clup.cli.session import FAILED, Session, run
from clup.cli.target import Target, target
from clup.found import ByRole, Found, Note, comment, fitting, new, python, tree
from clup.inventories import DeploymentError
from clup.layers import selected, validate
from clup.settings import Problem
from clup.transport import raw
from roles import ROLES, Settings

HEAD = "As `clup adopt` found it. Read each line: what stands here is what `clup apply` keeps."


@click.command()
@target
def command(target: Target) -> None:
    """Print the settings that describe the machines as they are. Nothing is changed.

    \b
    Example:
      clup adopt inventories/example.py >found.py

    Only what differs from the settings that there are is printed, as Python for a file of
    `group_data`, with remarks about what settings do not say. No secret is printed. Several hosts
    want a file each: choose one with --limit, or say --json. Exit 1 when a host cannot be read, 3
    when the settings that there are cannot be judged.
    """
    run("adopt", target, _adopt, whole=False)


def _adopt(session: Session) -> None:
    names = [host.name for host in session.deployment.hosts]
    if len(names) > 1 and not session.target.as_json:
        raise DeploymentError(several(names))
    session.connect(changes=False)
    for host in session.deployment.active:
        session.screen.step(f"{host.name}: reading what it is")
        with session.deployment.alone(host):
            _describe(session, host)


def several(names: list[str]) -> str:
    """Return the line about hosts whose settings would be printed as one file.

    Each of them assigns the same roles, so that Python would keep those of the last host alone.
    """
    listed = ", ".join(names)
    return f"{listed}: in one file the last one's settings win; say --limit HOST, one file each"


def _describe(session: Session, host: Host) -> None:
    settings = session.settings[host.name]
    found, notes = _read(session, host, settings)

    def judge(above: Mapping[str, Any]) -> list[Problem]:
        judged = validate(host, Settings, above=above)
        return judged if isinstance(judged, list) else []

    kept, refused, problems = fitting(found, judge)
    notes += [f"Not said, as settings refuse it: {problem}" for problem in refused]
    notes += [f"Still to be said: {problem}" for problem in problems]
    session.document["hosts"][host.name] |= {
        "settings": {role: tree(said) for role, said in kept.items() if said},
        "notes": notes,
    }
    session.screen.lines(page(host.name, kept, notes, raw.is_sudo(host)))


def _read(session: Session, host: Host, settings: Settings) -> tuple[ByRole, list[str]]:
    """Return what differs from the settings, by role, and the remarks. A role that cannot be read
    is remarked on; the others go on."""
    machine = raw.testinfra_host(host)
    wanted = selected(host, tuple(role.name for role in ROLES))
    found: ByRole = {}
    notes: list[str] = []
    for role in (role for role in ROLES if role.name in wanted):
        said: list[Found | Note] = []
        try:
            said.extend(role.found(machine, settings))
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001  whatever a machine answers, the others go on
            session.exit = FAILED
            notes.append(f"{role.name} could not be read: {error}")
        present = getattr(settings, role.name).model_dump()
        found[role.name] = new([each for each in said if isinstance(each, Found)], present)
        notes += [each.text for each in said if isinstance(each, Note)]
    return found, notes


def page(name: str, found: ByRole, notes: list[str], sudo: bool) -> list[str]:
    """Given a host's name, its settings by role, remarks, and whether commands go through sudo
    there, return the lines of the file."""
    lines = [f'"""{name}: {HEAD}"""', ""]
    for note in notes:
        lines += comment(note)
    lines += [""] if notes else []
    lines += ["_sudo = True", ""] if sudo else []
    return [*lines, *python(found).splitlines()]
