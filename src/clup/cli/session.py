"""One command about machines, from the settings to the exit code and the JSON document."""

from __future__ import annotations

import sys
from collections.abc import Callable, Container
from dataclasses import asdict, dataclass, field
from typing import Any

from pyinfra.api.host import Host

from clup import managed, preflight, settings
from clup.cli import answer
from clup.cli.screen import Screen
from clup.cli.target import ROOT, Target, inventory_of
from clup.deployment import Deployment
from clup.inventories import BrokenFileError, DeploymentError
from clup.lab import LabError
from clup.layers import settings_of_all
from clup.settings import SettingsError
from clup.transport import cache, lost
from clup.watch import Operation
from roles import ROLES, Settings

DONE, FAILED, PENDING, INVALID = 0, 1, 2, 3
"""The exit codes of the design; 64, wrong usage, is click's part."""


@dataclass
class Session:
    """What a command's work has at hand, and what it leaves for the answer."""

    command: str
    target: Target
    screen: Screen
    deployment: Deployment = field(init=False)
    settings: dict[str, Settings] = field(default_factory=dict)
    exit: int = DONE
    document: dict[str, Any] = field(default_factory=dict)
    failed: int = FAILED
    """The exit code when a machine or the command itself fails."""
    state: str = "nothing was contacted"
    """What an interrupt would leave behind, in words."""
    tells_errors: bool = True
    """Whether what failed on a host is still to be said; a command may say it in its answer."""
    recorded: dict[str, frozenset[managed.Thing]] = field(default_factory=dict)
    """By host: what the machine remembers that clup manages."""

    def open(self, whole: bool = True) -> None:
        """Load the inventory and judge all settings, as a `whole` or role by role; contact nothing.

        Raise SettingsError with every problem, DeploymentError or LabError with one line.
        """
        target = self.target
        inventory = inventory_of(target.inventory)
        self.deployment = Deployment(ROOT, inventory, target.limit, target.role)
        self.settings = settings_of_all(self.deployment.inventory, Settings, whole)
        self.deployment.begin()
        self.document["hosts"] = {host.name: {} for host in self.deployment.hosts}

    def connect(self, changes: bool) -> None:
        """Connect and look whether anything stands in the way; a host with an objection is out."""
        self.screen.step(f"connecting to {', '.join(h.name for h in self.deployment.hosts)}")
        self.state = "nothing was changed"
        self.deployment.connect()
        for host in self.deployment.active:
            with self.deployment.alone(host):
                seen = preflight.look(host, changes)
                self.recorded[host.name] = seen.managed
                for line in seen.objections:
                    self.deployment.fail(host, line)

    def declared(self, host: Host, only: Container[str] | None = None) -> frozenset[managed.Thing]:
        """Return what the settings of a host have clup manage there, by all roles or only some."""
        settings = self.settings[host.name]
        roles = [role for role in ROLES if only is None or role.name in only]
        return frozenset(thing for role in roles for thing in role.managed(settings))

    def unmanaged(self, host: Host) -> list[managed.Thing]:
        """Return what left the settings and still is on a host, and put it into the document.

        A host that does not answer is out.
        """
        left: list[managed.Thing] = []
        with self.deployment.alone(host):
            left = managed.present(host, self.recorded[host.name] - self.declared(host))
            self.document["hosts"][host.name]["unmanaged"] = [str(thing) for thing in left]
        return left

    def show_unmanaged(self) -> None:
        """Say what left the settings and stays on each host: nobody else would remember it."""
        for host in self.deployment.active:
            self.screen.lines(managed.lines(host.name, self.unmanaged(host)))

    def operations(self, results: dict[str, list[Operation]]) -> None:
        """Put how the operations of each host stand into the document."""
        for host, operations in results.items():
            listed = [asdict(each) | {"status": each.status} for each in operations]
            self.document["hosts"][host]["operations"] = listed

    def finish(self) -> None:
        """Report what failed on the way; a host that failed makes the whole command fail."""
        for name, lines in self.deployment.errors.items() if self.tells_errors else ():
            for line in dict.fromkeys(lines):
                self.screen.error(line if line.startswith(name) else f"{name}: {line}")
        if no_hosts := self.deployment.errors.get(""):
            self.document["error"] = "; ".join(no_hosts)
        if no_hosts or self.deployment.state.failed_hosts:
            self.exit = self.failed

    def answer(self) -> dict[str, Any]:
        """Return the document, with what is known by now of each host."""
        for name, known in self.document.get("hosts", {}).items():
            host = self.deployment.inventory.get_host(name)
            known["errors"] = self.deployment.errors.get(name, [])
            known["commands"] = cache.memory(host).commands
        return answer.document(self.command, self.exit, **self.document)


def run(
    command: str,
    target: Target,
    work: Callable[[Session], None],
    before: Callable[[Screen], None] = lambda _: None,
    whole: bool = True,
    failed: int = FAILED,
) -> None:
    """Run a command's work and end the process with its exit code.

    `before` makes what the inventory needs, such as a lab. Unless the settings are judged as a
    `whole`, what their roles want of each other does not count. Whatever happens, --json prints one
    document on stdout, and a failure is one clear line; it ends with `failed`.
    """
    session = Session(command, target, Screen(quiet=target.as_json), failed=failed)
    try:
        before(session.screen)
        session.open(whole)
        work(session)
        session.finish()
    except SettingsError as error:
        session.exit = INVALID
        session.document["error"] = "the settings are invalid; nothing was contacted"
        session.document["problems"] = {
            host: [asdict(problem) for problem in found] for host, found in error.problems.items()
        }
        for line in settings.lines_of(error.problems):
            session.screen.error(line)
    except BrokenFileError as error:
        _fail(session, str(error))
        session.exit = INVALID
    except (DeploymentError, LabError) as error:
        _fail(session, str(error))
    except KeyboardInterrupt:
        _fail(session, f"interrupted: {session.state}")
    except Exception as error:  # noqa: BLE001  whatever it is, who asked for a document gets one
        _fail(session, lost.own_fault(error))
    finally:
        if hasattr(session, "deployment"):
            session.deployment.disconnect()
    if target.as_json:
        answer.write(session.answer())
    sys.exit(session.exit)


def _fail(session: Session, line: str) -> None:
    session.exit = session.failed
    session.document["error"] = line
    session.screen.error(line)
