"""One pyinfra run, driven from Python: the pyinfra command line's steps, with their results kept.

`greenlets` is imported first: it patches the standard library, which has to happen before anything
opens a socket.
"""

from __future__ import annotations

from clup import greenlets  # noqa: F401  isort: skip

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import gevent
import pyinfra
from pyinfra.api.config import Config
from pyinfra.api.connect import connect_all, disconnect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.operations import run_ops
from pyinfra.api.output import set_echo
from pyinfra.api.state import State, StateStage
from pyinfra.context import ctx_config, ctx_inventory, ctx_state
from pyinfra.context import host as current_host
from pyinfra_cli.exceptions import UnexpectedExternalError
from pyinfra_cli.util import exec_file, load_func

from clup import inventories, report
from clup.inventories import DeploymentError
from clup.layers import ONLY
from clup.transport import lock, lost
from clup.watch import Events, Listener, Log, Operation, Status, ended, names


class Deployment:
    """A run over the hosts of one inventory. The steps are called in the order they stand in."""

    def __init__(
        self,
        root: Path,
        inventory: str,
        limit: Sequence[str] = (),
        role: str | None = None,
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
        self._log = Log(self.errors)
        self.state = State(check_for_changes=True)
        self.state.cwd = str(root)
        ctx_state.set(self.state)
        self._config = Config()
        ctx_config.set(self._config)
        with inventories.one_line("config.py"):
            exec_file(str(root / "config.py"))
        self._config.lock_current_state()
        self.inventory = inventories.load(inventory, str(root), {ONLY: role} if role else {})
        ctx_inventory.set(self.inventory)
        self._chosen = inventories.limited(self.inventory, limit) if limit else None

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
        self.state.add_callback_handler(Events(listener))
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
        told: list[str] = []
        for key in self._order(host):
            changes = self.state.ops[host][key].operation_meta.will_change
            said = report.notes(host, key)
            status: Status = (
                "refused" if said.refusals else "would change" if changes else "unchanged"
            )
            # Who comes later, and would refuse for the same reason, need not tell it again.
            new = [line for line in said.refusals if line not in told]
            told += new
            operations.append(self._operation(key, status, said, "\n".join(new)))
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
