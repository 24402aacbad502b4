"""What to do when a machine is not reached. pyinfra says what happened; here is what to type."""

from __future__ import annotations

from collections.abc import Mapping

_CURES = {
    "No host key for": "log in once with `ssh`, compare the fingerprint, and accept the key",
    "SSH host key error": "was it installed anew, or does another machine answer? compare the"
    " fingerprints, then `ssh-keygen -R ADDRESS` and log in once",
    "Authentication error": "try `ssh` with that account, and name the key that works as ssh_key in"
    " the inventory",
    "Could not resolve hostname": "correct ssh_hostname in the inventory, or give an address",
    "Could not connect": "is it on, has it still that address, does sshd run? try `ssh` to it",
    "No such private key file": "correct ssh_key in the inventory",
    "Invalid private key file": "name the file without .pub as ssh_key in the inventory",
}
"""By words of pyinfra's messages; the first that fits."""


def explained(line: str) -> str:
    """Given a line about a connection that failed, return it with the cure."""
    cure = next((cure for words, cure in _CURES.items() if words in line), None)
    return f"{line}; {cure}" if cure else line


def by_host(errors: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Given lines by the name of their host, return them explained.

    A line of no host ("") goes when a host's own line contains it.
    """
    owned = " ".join(line for host, lines in errors.items() if host for line in lines)
    kept = {
        host: [line for line in lines if host or line not in owned]
        for host, lines in errors.items()
    }
    return {host: [explained(line) for line in lines] for host, lines in kept.items() if lines}
