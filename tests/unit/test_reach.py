"""What an operator reads when a machine is not reached."""

from __future__ import annotations

import pytest

from clup.reach import by_host, explained


@pytest.mark.parametrize(
    ("line", "cure"),
    [
        ("Could not connect ([Errno None] Unable to connect to port 22 on 192.0.2.1)", "is it on"),
        (
            "Could not resolve hostname ([Errno -2] Name or service not known)",
            "correct ssh_hostname",
        ),
        (
            "Authentication error (username=a) (Authentication failed.)",
            "try `ssh` with that account",
        ),
        ("SSH host key error (Host key for vm does not match.)", "was it installed anew"),
        ("SSH error (StrictPolicy: No host key for vm found in known_hosts)", "log in once"),
        ("No such private key file: /x", "correct ssh_key"),
        ("EOF error ()", ""),
    ],
)
def test_a_failed_connection_has_a_cure(line: str, cure: str) -> None:
    assert explained(line) == line if not cure else explained(line).startswith(f"{line}; {cure}")


def test_what_a_host_says_too_is_said_once() -> None:
    shorter = "No host key for vm found in known_hosts"
    found = by_host({"": [shorter, "other"], "vm": [f"SSH error (StrictPolicy: {shorter})"]})
    assert list(found) == ["", "vm"]
    assert found[""] == ["other"]
    assert by_host({"": [shorter], "vm": [shorter]}).keys() == {"vm"}
