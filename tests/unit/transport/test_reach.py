"""What an operator reads when a machine is not reached."""

from __future__ import annotations

from pathlib import Path
from socket import gaierror

import pytest
from paramiko import AuthenticationException, BadHostKeyException, Ed25519Key, SSHException
from paramiko.hostkeys import HostKeys
from paramiko.ssh_exception import NoValidConnectionsError
from pyinfra.api.exceptions import PyinfraError

from clup.transport.reach import UnknownHostKeyError, Way, explained, known_lines

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPeuEOn+xUJDJvlFYELNtyNqPR+nTSUzDeTgZ5gRNW1C"
WAY = Way("vm", 2222, "psy", "/keys/id", "/nowhere/known_hosts", 10)


def refused(error: OSError) -> NoValidConnectionsError:
    """Return paramiko's error over the one of each address."""
    return NoValidConnectionsError({("192.0.2.1", 2222): error})


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refused(ConnectionRefusedError()), ["vm port 2222 refuses", "does sshd run there"]),
        (TimeoutError("timed out"), ["vm port 2222", "not answer within 10 s", "is it on"]),
        (refused(TimeoutError()), ["not answer within 10 s"]),
        (refused(OSError(113, "No route to host")), ["vm port 2222", "No route to host"]),
        (gaierror(-2, "unknown"), ["Could not resolve hostname vm", "correct ssh_hostname"]),
        (AuthenticationException("no"), ["does not take the key /keys/id for psy", "try `ssh`"]),
        (UnknownHostKeyError("vm"), ["No host key for [vm]:2222", "-p 2222 psy@vm"]),
        (SSHException("No existing session"), ["not as sshd does (No existing session)", "port?"]),
        (SSHException("No authentication methods available"), ["no key to offer", "ssh-keygen"]),
        (EOFError(), ["not as sshd does (the connection was closed)"]),
        (PyinfraError("No such private key file: /x"), ["key file: /x; correct ssh_key"]),
        (PyinfraError("Invalid private key file: /x"), ["key file: /x; name the file without"]),
        (PyinfraError("Private key file (/x) is encrypted, set y"), ["encrypted; add it to ssh-a"]),
        (PermissionError(13, "Permission denied", "/x"), ["'/x'; make that file yours"]),
    ],
)
def test_the_line_says_where_what_and_what_to_do(error: BaseException, words: list[str]) -> None:
    line = explained(WAY, error)
    assert [word for word in words if word not in line] == []
    assert line.isprintable()
    assert ";" in line


def test_a_changed_host_key_names_the_line_to_remove(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    hashed = HostKeys.hash_host("[vm]:2222")
    file.write_text(f"# ours\nvm {KEY}\nother,[vm]:2222 {KEY}\n\n{hashed} {KEY}\nnonsense\n")
    assert known_lines(str(file), "[vm]:2222") == [3, 5]
    assert known_lines(str(file), "vm") == [2]
    way = Way("vm", 2222, "psy", "", str(file), 10)
    key = Ed25519Key.from_type_string
    line = explained(way, BadHostKeyException("vm", key, key))  # type: ignore[arg-type]
    assert "line 3 and 5" in line
    assert line.endswith(f"ssh-keygen -f {file} -R '[vm]:2222'")
