"""One pyinfra run, driven from Python: the pyinfra command line's steps, with their results kept.

`pyinfra_cli` is imported first: it patches the standard library for gevent, which has to happen
before anything opens a socket.
"""

from __future__ import annotations

import pyinfra_cli  # noqa: F401  isort: skip

import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import gevent
import pyinfra
from pyinfra.api.config import Config
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.operations import run_ops
from pyinfra.api.output import set_echo
from pyinfra.api.state import BaseStateCallback, State, StateStage
from pyinfra.context import ctx_config, ctx_inventory, ctx_state
from pyinfra.context import host as current_host
from pyinfra.context import state as current_state
from pyinfra_cli.cli import _apply_inventory_limit
from pyinfra_cli.exceptions import CliError, UnexpectedExternalError
from pyinfra_cli.inventory import make_inventory
from pyinfra_cli.util import exec_file, load_func

from clup import report
from clup.layers import ONLY
from clup.transport import lock, lost

Status = Literal["unchanged", "would change", "changed", "refused", "failed", "not reached"]


class Listener:
    """Is told what happens while operations are executed. This one does nothing with it."""

    def started(self, host: Host, operation: str) -> None:
        """An operation, as "role: name", begins on a host."""

    def said(self, line: str) -> None:
        """A command of an operation wrote a line."""

    def ended(self, host: Host, operation: Operation) -> None:
        """An operation ended on a host."""


class DeploymentError(Exception):
    """A run cannot go on. The message is one line: what, where, what to do."""


@dataclass
class Operation:
    """One operation on one host, as planned or as it ended."""

    role: str
    name: str
    status: Status
    evidence: list[str] = field(default_factory=list)
    diffs: list[str] = field(default_factory=list)
    error: str = ""

    def __str__(self) -> str:
        return f"{self.role}: {self.name}"


class Deployment:
    """A run over the hosts of one inventory. The steps are called in the order they stand in."""

    def __init__(
        self,
        root: Path,
        inventory: str,
        limit: Sequence[str] = (),
        role: str | None = None,
        data: dict[str, Any] | None = None,
    ):
        """Load pyinfra's configuration and the inventory; contact nothing.

        Raise DeploymentError when there is no such inventory, host or lab.
        """
        self.errors: dict[str, list[str]] = {}
        os.chdir(root)
        pyinfra.is_cli = True
        # What fails in a greenlet is raised again where pyinfra collects it: no traceback too.
        gevent.get_hub().exception_stream = None
        os.environ["PYINFRA_PROGRESS"] = "off"
        self._executed: list[Host] = []
        self._log = _Log(self.errors)
        self.state = State(check_for_changes=True)
        self.state.cwd = str(root)
        ctx_state.set(self.state)
        self._config = Config()
        ctx_config.set(self._config)
        with _one_line("config.py"):
            exec_file(str(root / "config.py"))
        self._config.lock_current_state()
        override = dict(data or {}) | ({ONLY: role} if role else {})
        self.inventory = _load(inventory, str(root), override)
        ctx_inventory.set(self.inventory)
        self._chosen = _apply_inventory_limit(self.inventory, limit or None)
        if self._chosen is not None and not self._chosen:
            known = ", ".join(host.name for host in self.inventory)
            raise DeploymentError(f"--limit {', '.join(limit)}: no such host; known: {known}")

    def begin(self) -> None:
        """Set pyinfra up for the hosts, whose data must be judged by now: it raises for the first
        value of a wrong type."""
        self.state.init(self.inventory, self._config, initial_limit=self._chosen)

    @property
    def hosts(self) -> list[Host]:
        """The hosts of this run, whether or not they can be reached."""
        return [host for host in self.inventory if self.state.is_host_in_limit(host)]

    @property
    def active(self) -> list[Host]:
        """The hosts that are connected and have not failed."""
        return [host for host in self.hosts if host in self.state.active_hosts]

    def connect(self) -> None:
        """Connect to all hosts side by side; those that fail have their line in `errors`."""
        self.state.set_stage(StateStage.Connect)
        with self._failing_softly():
            connect_all(self.state)

    def fail(self, host: Host, line: str) -> None:
        """Take a host out of the run, with the line that says why."""
        self.errors.setdefault(host.name, []).append(line)
        with self._failing_softly():
            self.state.fail_hosts({host})

    @contextmanager
    def alone(self, host: Host) -> Iterator[None]:
        """A connection that ends or falls silent in this block takes only its host out."""
        try:
            yield
        except OSError as error:
            self.fail(host, f"{host.name}: {error}")

    def prepare(self, deploy: str = "deploys/site.py") -> dict[str, list[Operation]]:
        """Evaluate a deploy on every active host; return the plan of each by its name."""
        self.state.set_stage(StateStage.Prepare)
        if self.active:
            with self._failing_softly():
                load_func(self.state, self._load, deploy)
        return {host.name: self._plan(host) for host in self.active}

    def execute(self, listener: Listener) -> dict[str, list[Operation]]:
        """Run what was prepared; return how each operation ended, by the host's name."""
        self.state.set_stage(StateStage.Execute)
        self._executed = self.active
        self.state.add_callback_handler(_Events(listener))
        self.state.print_output = True
        set_echo(lambda line="", **_: listener.said(str(line).strip()))
        with self._failing_softly():
            run_ops(self.state)
        return self.results()

    def results(self) -> dict[str, list[Operation]]:
        """Return how each operation ended so far, by the host's name."""
        return {host.name: [*self._ended(host)] for host in self._executed}

    def disconnect(self) -> None:
        """Close all connections, which also gives the machines' locks back."""
        self._log.close()
        if not self.state.initialised:
            return
        for host in self.state.activated_hosts:
            lock.release(host)
            client = getattr(host.connector, "client", None)
            if client is not None:
                client.close()
        disconnect_all(self.state)

    def _load(self, deploy: str) -> None:
        """Evaluate a deploy on the host at hand, for which alone it ends with an error."""
        self.state.current_deploy_filename = deploy
        host = self.inventory.get_host(current_host.name)
        try:
            exec_file(deploy)
            return
        except UnexpectedExternalError as error:
            line = lost.own_fault(error.exception)
        except PyinfraError as error:
            line = str(error)
        if host not in self.state.failed_hosts:
            self.fail(host, line)

    def _plan(self, host: Host) -> list[Operation]:
        operations = []
        for key in self._order(host):
            changes = self.state.ops[host][key].operation_meta.will_change
            said = report.notes(host, key)
            status: Status = (
                "refused" if said.refusals else "would change" if changes else "unchanged"
            )
            operations.append(self._operation(key, status, said, "; ".join(said.refusals)))
        return operations

    def _ended(self, host: Host) -> Iterator[Operation]:
        for key in self._order(host):
            yield ended(self.state, host, key)

    def _order(self, host: Host) -> list[str]:
        return [key for key in self.state.get_op_order() if key in self.state.ops[host]]

    def _operation(
        self, key: str, status: Status, said: report.Notes, error: str = ""
    ) -> Operation:
        role, name = names(self.state, key)
        return Operation(role, name, status, said.evidence, said.diffs, error)

    @contextmanager
    def _failing_softly(self) -> Iterator[None]:
        """pyinfra raises when no host is left: the hosts' own lines say more than that."""
        try:
            yield
        except PyinfraError as error:
            if self.active or not self.state.failed_hosts:
                raise DeploymentError(str(error)) from error


def names(state: State, key: str) -> tuple[str, str]:
    """Given an operation's hash, return its role and its name within that role."""
    role, _, name = ", ".join(sorted(state.get_op_meta(key).names)).partition(" | ")
    return (role, name) if name else ("", role)


def ended(state: State, host: Host, key: str) -> Operation:
    """Return how an operation ended on a host, with what it said when it failed."""
    meta = state.ops[host][key].operation_meta
    role, name = names(state, key)
    said = report.notes(host, key)
    if not meta.is_complete():
        return Operation(role, name, "not reached")
    if meta.did_succeed():
        status: Status = "changed" if meta.did_change() else "unchanged"
        return Operation(role, name, status, said.evidence, said.diffs)
    if said.refusals:
        return Operation(role, name, "failed", error="; ".join(said.refusals))
    stderr = [line.strip() for line in meta.stderr_lines if line.strip()]
    return Operation(role, name, "failed", error=" | ".join(stderr[-5:]) or "the command failed")


class _Events(BaseStateCallback):
    """Tells a listener of each operation, of its end as soon as pyinfra has moved on from it."""

    def __init__(self, listener: Listener):
        self._listener = listener

    def operation_host_start(self, state: State, host: Host, op_hash: str) -> None:  # type: ignore[override]
        report.forget(host, op_hash)
        self._listener.started(host, ": ".join(names(state, op_hash)))

    def operation_end(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        for host in state.inventory:
            if op_hash in state.ops[host]:
                self._listener.ended(host, ended(state, host, op_hash))


class _Log(logging.Handler):
    """Keeps pyinfra's error lines by host instead of printing them.

    Of a fact that could not be read, its last line: there pyinfra tells all that the machine said,
    and then the fact's arguments.
    """

    def __init__(self, errors: dict[str, list[str]]):
        super().__init__(logging.ERROR)
        self._errors = errors
        self._told: dict[str, int] = {}
        self._logger = logging.getLogger("pyinfra")
        self._logger.addHandler(self)
        self._logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        host, line = re.match(r"(?:\[([^\]]+)\]\s*)?(.*)", record.getMessage(), re.S).groups()  # type: ignore[union-attr]
        lines = self._errors.setdefault(host or "", [])
        fact = re.match(r"Error: could not load fact: (\S+)", line)
        if fact is None:
            lines.append(line.strip())
            return
        told = self._told.get(host, 0)
        lines[told:] = [f"cannot read {fact[1]}: {(lines[told:] or ['no answer'])[-1]}"]
        self._told[host] = len(lines)

    def close(self) -> None:
        # What an interrupted greenlet still says would be printed if nothing took it.
        self._logger.addHandler(logging.NullHandler())
        self._logger.removeHandler(self)
        super().close()


def _load(inventory: str, root: str, override: dict[str, Any]) -> Inventory:
    is_path = inventory.endswith(".py") or "/" in inventory or not inventory
    if is_path and not inventory.startswith("@") and not Path(inventory).is_file():
        known = ", ".join(sorted(str(path) for path in Path("inventories").glob("*.py")))
        raise DeploymentError(f"{inventory}: no such inventory; known: {known}")
    if root not in sys.path:
        sys.path.insert(0, root)
    with _one_line(inventory):
        loaded: Inventory = make_inventory(inventory, cwd=root, override_data=override)
    if not len(loaded):
        raise DeploymentError(f"{inventory}: no hosts in this inventory; add one as a list item")
    return loaded


@contextmanager
def _one_line(what: str) -> Iterator[None]:
    try:
        yield
    except UnexpectedExternalError as error:
        raise DeploymentError(f"{error.filename}: {_first_line(error.exception)}") from error
    except SyntaxError as error:
        where = f"{error.filename}, line {error.lineno}"
        raise DeploymentError(f"{where}: {error.msg}; correct that line") from error
    except (OSError, UnicodeError) as error:
        where = current_state.current_exec_filename or what
        raise DeploymentError(f"{where}: cannot be read ({_first_line(error)})") from error
    except SystemExit as error:
        where = current_state.current_exec_filename or what
        raise DeploymentError(f"{where}: ends the program ({error.code}); take that out") from error
    except (CliError, PyinfraError) as error:
        raise DeploymentError(f"{what}: {_first_line(error)}") from error
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        cure = 'write each host as "name" or as ("name", {...its data})'
        raise DeploymentError(f"{what}: is no list of hosts ({error}); {cure}") from error


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    if isinstance(error, (NameError, SyntaxError, TypeError, KeyError, ImportError)):
        text = f"{type(error).__name__}: {text}"
    return text.splitlines()[0]
