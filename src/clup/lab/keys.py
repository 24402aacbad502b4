"""A lab's ssh keys, its known_hosts, and the ssh command that uses them."""

from collections.abc import Sequence
from pathlib import Path

from clup.lab.commands import run
from clup.lab.machine import Lab


def make_keys(lab: Lab) -> None:
    """Given a lab, make its client key and host key, and write the known_hosts that trusts it."""
    for file, comment in ((lab.key_file, "clup-lab"), (lab.host_key_file, f"lab-{lab.name}")):
        run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(file)],
            cure="install the ssh client (package openssh-client)",
        )
    key = " ".join(public(lab.host_key_file).split()[:2])
    lab.known_hosts_file.write_text(f"[{lab.address}]:{lab.port} {key}\n")


def public(private: Path) -> str:
    """Given a private key's file, return the line with its public half."""
    return private.with_name(f"{private.name}.pub").read_text()


def quoted(path: Path) -> str:
    """Given a path, return it as an ssh option's value: ssh splits at spaces and expands %."""
    return '"' + str(path).replace("%", "%%") + '"'


def ssh_argv(lab: Lab, command: Sequence[str] = (), *, batch: bool = False) -> list[str]:
    """Given a lab and a command (none: a shell), return the ssh command line.

    It reads no configuration of the user's: a lab is the same for everybody. With `batch` it
    never asks and gives up on a connection after 5 s.
    """
    options = {
        "IdentityFile": quoted(lab.key_file),
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": quoted(lab.known_hosts_file),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "LogLevel": "ERROR",
        **({"BatchMode": "yes", "ConnectTimeout": "5"} if batch else {}),
    }
    flags = [word for key, value in options.items() for word in ("-o", f"{key}={value}")]
    target = f"{lab.user}@{lab.address}"
    return ["ssh", "-F", "/dev/null", *flags, "-p", str(lab.port), target, *command]
