"""A machine that is not reached: one line that says where, what happened, and what to do.

pyinfra's own lines name neither. It also ends the run of all hosts for the key file of one, asks
for a passphrase in the middle of a run, and says some things twice.
"""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from pathlib import Path
from socket import gaierror
from typing import Any

from paramiko import AuthenticationException, BadHostKeyException
from paramiko.hostkeys import HostKeyEntry, HostKeys
from paramiko.ssh_exception import NoValidConnectionsError, SSHException
from pyinfra.api.exceptions import ConnectError, PyinfraError
from pyinfra.connectors.ssh import SSHConnector
from pyinfra.connectors.ssh_util import load_key_with_certificate
from pyinfra.connectors.sshuserclient.client import StrictPolicy


@dataclass(frozen=True)
class Way:
    """How a machine is to be reached. `key` is "" when the agent's and the user's own are tried."""

    address: str
    port: int
    user: str
    key: str
    known_hosts: str
    timeout: int
    """Seconds to wait for an answer."""

    @property
    def known_as(self) -> str:
        """Return the machine's name in known_hosts."""
        return self.address if self.port == 22 else f"[{self.address}]:{self.port}"


class UnknownHostKeyError(SSHException):
    """The machine has no line in known_hosts."""


def install() -> None:
    """Have every connection of this process fail in words; again is harmless."""
    connect = SSHConnector.connect
    if getattr(connect, "is_explained", False):
        return

    def explained_connect(connector: SSHConnector) -> None:
        try:
            _load_key(connector)
            connect(connector)
        except (PyinfraError, OSError, SSHException, EOFError) as error:
            raise ConnectError(explained(_way(connector), error)) from error

    def unknown(_policy: StrictPolicy, _client: Any, hostname: str, _key: Any) -> None:
        raise UnknownHostKeyError(hostname)

    explained_connect.is_explained = True  # type: ignore[attr-defined]
    SSHConnector.connect = explained_connect  # type: ignore[method-assign, assignment]
    StrictPolicy.missing_host_key = unknown  # type: ignore[method-assign]


NO_KEY = "No authentication methods available"
"""What paramiko says when it has neither key nor password."""


def explained(way: Way, error: BaseException) -> str:
    """Given what a connection failed with, return the line about it."""
    where = f"{way.address} port {way.port}"
    match cause := _cause(error):
        case ConnectionRefusedError():
            return f"Could not connect: {where} refuses; does sshd run there, and on that port?"
        case TimeoutError():
            return (
                f"Could not connect: {where} did not answer within {way.timeout} s; is it on,"
                " is that still its address, does a firewall swallow it?"
            )
        case gaierror():
            return (
                f"Could not resolve hostname {way.address}; correct ssh_hostname in the inventory,"
                " or give an address"
            )
        case BadHostKeyException():
            lines = " and ".join(map(str, known_lines(way.known_hosts, way.known_as))) or "?"
            return (
                f"SSH host key error: {where} has another key than {way.known_hosts}, line {lines},"
                " says; does another machine answer? Only if it was installed anew, remove that"
                f" line: ssh-keygen -f {way.known_hosts} -R {way.known_as!r}"
            )
        case UnknownHostKeyError():
            return (
                f"No host key for {way.known_as} in {way.known_hosts}; log in once, compare the"
                f" fingerprint, and accept the key: ssh -o UserKnownHostsFile={way.known_hosts}"
                f" -p {way.port} {way.user}@{way.address}"
            )
        case AuthenticationException():
            tried = f"the key {way.key}" if way.key else "no key of the agent or in ~/.ssh"
            takes = "does not take" if way.key else "takes"
            return (
                f"Authentication error: {where} {takes} {tried} for {way.user}; try `ssh` with that"
                " account, and name the key that works as ssh_key in the inventory"
            )
        case SSHException() if NO_KEY in str(cause):
            return (
                f"Authentication error: no key to offer to {where}: no agent holds one, none lies"
                " in ~/.ssh; name one as ssh_key in the inventory, or make one with `ssh-keygen`"
                f" and give its public half to {way.user} there"
            )
        case SSHException() | EOFError():
            said = str(cause) or "the connection was closed"
            return (
                f"SSH error: {where} answers, but not as sshd does ({said}); is that its port?"
                " If so, it may be overloaded: try again"
            )
    return _key_error(way, str(cause))


def known_lines(file: str, name: str) -> list[int]:
    """Given a known_hosts file, return the numbers of its lines about the machine of that name."""
    lines = Path(file).expanduser().read_text(encoding="utf-8").splitlines()
    entries = [(number, HostKeyEntry.from_line(line)) for number, line in enumerate(lines, 1)]
    return [
        number
        for number, entry in entries
        for each in (entry.hostnames if entry else ())
        if each == name or (each.startswith("|1|") and HostKeys.hash_host(name, each) == each)
    ]


def _key_error(way: Way, said: str) -> str:
    cures = {
        "No such private key file": "correct ssh_key in the inventory",
        "Invalid private key file": "name the file without .pub as ssh_key in the inventory",
        "is encrypted": "add it to ssh-agent and leave ssh_key out, or set ssh_key_password",
        "Permission denied": "make that file yours, or name another one as ssh_key",
    }
    cure = next((cure for words, cure in cures.items() if words in said), None)
    if cure is None:
        where = f"{way.address} port {way.port}"
        return f"Could not connect: {where}: {said}; is it on, and is that still its address?"
    return f"{said.partition(', set')[0]}; {cure}"


def _cause(error: BaseException) -> BaseException:
    """Return what began it: pyinfra raises anew, paramiko collects what each address said."""
    while isinstance(error, ConnectError) and error.__context__ is not None:
        error = error.__context__
    if isinstance(error, NoValidConnectionsError):
        return next(iter(error.errors.values()))
    return error


def _load_key(connector: SSHConnector) -> None:
    """Load a host's private key where pyinfra looks for it, without a question for a passphrase."""
    name, known = connector.data["ssh_key"], connector.state.private_keys
    if name and name not in known:
        password = connector.data["ssh_key_password"]
        cwd = connector.state.cwd
        known[name] = load_key_with_certificate(name, password, cwd=cwd, allow_prompt=False)


def _way(connector: SSHConnector) -> Way:
    data, client = connector.data, connector.client
    # What ~/.ssh/config adds is known once paramiko was called.
    config = getattr(client, "_ssh_config", {})
    known_hosts = getattr(client, "_host_keys_filename", None) or data["ssh_known_hosts_file"]
    return Way(
        address=data["ssh_hostname"] or connector.host.name,
        port=int(config.get("port") or data["ssh_port"] or 22),
        user=config.get("username") or data["ssh_user"] or getpass.getuser(),
        key=data["ssh_key"] or "",
        known_hosts=known_hosts or "~/.ssh/known_hosts",
        timeout=connector.state.config.CONNECT_TIMEOUT,
    )
