"""Machines that are not reached, or on which nobody becomes root: one line each, exit 1.

The other machines of the same run go on.
"""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from clup import lab
from tests.faults.runs import inventory, only_line, told, way_to
from tests.lab.command import clup, on_machine
from tests.lab.machines import machine

NAME = "reach"
PATIENCE_S = 25
"""Seconds after which the slowest of them must have been given up; 10 are for each connection."""


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine(NAME) as made:
        yield made


@contextmanager
def closed_port() -> Iterator[int]:
    """Yield a port that refuses connections."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextmanager
def swallowing() -> Iterator[int]:
    """Yield a port that drops every packet: its queue of connections is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        address = listener.getsockname()
        for _ in range(4):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            with suppress(BlockingIOError):
                caller.connect(address)
        yield address[1]


@contextmanager
def speaking(words: bytes) -> Iterator[int]:
    """Yield a port on which something else than sshd answers, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        connection.sendall(words)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def test_each_way_not_to_be_reached_has_its_own_line(box: lab.Lab, tmp_path: Path) -> None:
    other = tmp_path / "other"
    locked = tmp_path / "locked"
    for key, passphrase in ((other, ""), (locked, "secret")):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", key], check=True
        )
    kind, public, *_ = other.with_suffix(".pub").read_text().split()
    changed, empty = tmp_path / "changed", tmp_path / "empty"
    changed.write_text(f"# ours\n[{box.address}]:{box.port} {kind} {public}\n")
    empty.touch()
    with closed_port() as closed, swallowing() as swallowed, speaking(b"HTTP/1.0 400\n") as web:
        ways: dict[str, dict[str, Any]] = {
            "good": {},
            "closed": {"ssh_port": closed},
            "swallowed": {"ssh_port": swallowed},
            "web": {"ssh_port": web},
            "name": {"ssh_hostname": "no-such-host.invalid"},
            "nokey": {"ssh_key": "/nowhere/id"},
            "public": {"ssh_key": f"{box.key_file}.pub"},
            "locked": {"ssh_key": str(locked)},
            "wrong": {"ssh_key": str(other)},
            "nobody": {"ssh_user": "nobody"},
            "changed": {"ssh_known_hosts_file": str(changed)},
            "unknown": {"ssh_known_hosts_file": str(empty)},
        }
        hosts = {name: way_to(box, **way) for name, way in ways.items()}
        began = time.monotonic()
        answer = clup(NAME, "plan", inventory(tmp_path, **hosts))
        assert time.monotonic() - began < PATIENCE_S
    at = f"{box.address} port"
    wanted = {
        "closed": f"Could not connect: {at} {closed} refuses",
        "swallowed": f"Could not connect: {at} {swallowed} did not answer within 10 s",
        "web": f"SSH error: {at} {web} answers, but not as sshd does",
        "name": "Could not resolve hostname no-such-host.invalid",
        "nokey": "No such private key file: /nowhere/id; correct ssh_key",
        "public": f"Invalid private key file: {box.key_file}.pub; name the file without .pub",
        "locked": f"Private key file ({locked}) is encrypted; add it to ssh-agent",
        "wrong": f"Authentication error: {at} {box.port} does not take the key {other}",
        "nobody": f"Authentication error: {at} {box.port} does not take the key {box.key_file}",
        "changed": f"SSH host key error: {at} {box.port} has another key than {changed}, line 2,",
        "unknown": f"No host key for [{box.address}]:{box.port} in {empty}",
    }
    assert answer.exit == 1
    lines = told(answer)
    for name, words in wanted.items():
        [line] = answer.document["hosts"][name]["errors"]
        assert line.startswith(words)
        assert "; " in line
        assert lines.count(f"{name}: {line}") == 1
    assert len(lines) == len(wanted)
    assert len(answer.document["hosts"]["good"]["operations"]) > 40


def test_the_cure_for_a_changed_host_key_is_one(box: lab.Lab, tmp_path: Path) -> None:
    """The command of the message removes that line and no other."""
    known = tmp_path / "known_hosts"
    before = box.known_hosts_file.read_text()
    key = before.split()[1:]
    wrong = [key[0], key[1][:-4] + "AAAA"]
    known.write_text(
        f"[192.0.2.1]:22 {' '.join(key)}\n[{box.address}]:{box.port} {' '.join(wrong)}\n"
    )
    way = way_to(box, ssh_known_hosts_file=str(known))
    line = only_line(clup(NAME, "plan", inventory(tmp_path, vm=way)), "vm")
    cure = line.rpartition("remove that line: ")[2]
    subprocess.run(["sh", "-c", cure], check=True, capture_output=True)
    assert known.read_text() == f"[192.0.2.1]:22 {' '.join(key)}\n"


@pytest.mark.parametrize(
    ("account", "sudoers", "data", "words"),
    [
        ("plain", "", {}, "sudo without a password is not possible"),
        ("asked", "asked ALL=(ALL) ALL", {}, "sudo without a password is not possible"),
        ("some", "some ALL=(ALL) NOPASSWD: /bin/true", {}, "sudo without a password is not"),
        ("unsaid", "unsaid ALL=(ALL) NOPASSWD: ALL", {"_sudo": False}, "set _sudo = True"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "apply", "verify"])
def test_without_root_nothing_is_asked_and_nothing_done(
    box: lab.Lab,
    tmp_path: Path,
    account: str,
    sudoers: str,
    data: dict[str, object],
    words: str,
    command: str,
) -> None:
    on_machine(
        box,
        f"""id {account} >/dev/null 2>&1 || useradd -m {account}
        install -d -m 0700 -o {account} /home/{account}/.ssh
        install -m 0600 -o {account} ~operator/.ssh/authorized_keys /home/{account}/.ssh/
        echo '{sudoers}' >/etc/sudoers.d/{account}""",
    )
    vm = way_to(box, ssh_user=account, **data)
    line = only_line(clup(NAME, command, inventory(tmp_path, vm=vm)), "vm")
    assert words in line


def test_without_sudo_itself(box: lab.Lab, tmp_path: Path) -> None:
    """A timer on the machine gives sudo back, as nobody can become root there without it."""
    on_machine(
        box,
        "systemd-run -q --on-active=5 mv /usr/bin/sudo.away /usr/bin/sudo\n"
        "mv /usr/bin/sudo /usr/bin/sudo.away",
    )
    answer = clup(NAME, "plan", inventory(tmp_path, vm=way_to(box)))
    while subprocess.run(lab.ssh_argv(box, ["sudo", "true"]), capture_output=True).returncode:
        time.sleep(0.5)
    assert "sudo without a password is not possible" in only_line(answer, "vm")
    assert "not found" in only_line(answer, "vm")
