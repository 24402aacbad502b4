"""Invalid settings through the real command: exit 3, every problem at once, nobody contacted.

The machine of these tests is a listening socket of our own, so a connection would be seen.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from clup import cli
from clup.cli.target import ROOT
from tests.unit.roles.accounts import invalid_settings as accounts
from tests.unit.roles.base import invalid_settings as base
from tests.unit.roles.engine import invalid_settings as engine
from tests.unit.roles.layout import invalid_settings as layout
from tests.unit.roles.storage import invalid_settings as storage

Case = tuple[dict[str, Any], str, str]
"""What a host's data says, the path of a problem in it, and part of the reason."""

ROLES = (base, storage, engine, accounts, layout)


def of_a_role(name: str, settings: dict[str, Any], path: str, reason: str) -> Case:
    """Given a case of a role's own list, return it as the host's data would have it."""
    below = "" if path in ("", "settings") else f".{path}"
    return {name: settings}, f"{name}{below}", reason


OF_THE_ROLES = [
    of_a_role(role.__name__.split(".")[-2], *case) for role in ROLES for case in role.INVALID
]
ACROSS_ROLES: list[Case] = [
    (
        {
            "engine": {
                "requires_mount": "/srv/fast",
                "data_root": "/srv/fast/docker",
                "containerd_root": "/srv/fast/containerd",
            }
        },
        "engine.requires_mount",
        "is not a mount of storage.filesystems",
    ),
    (
        {"storage": {"filesystems": {"cache": {"mount": "/srv/other"}}}},
        "engine.requires_mount",
        "is not a mount of storage.filesystems",
    ),
    (
        {"layout": {"roots": ["/srv/data", "/srv/cache", "/mnt"]}},
        "layout.roots.2",
        "is not a mount of storage.filesystems",
    ),
    (
        {"layout": {"folders": {"/srv/data/openclaw/x": {"user": "psi"}}}},
        "layout.folders./srv/data/openclaw/x.user",
        "is no user that accounts declares",
    ),
    (
        {"layout": {"folders": {"/srv/data/openclaw/x": {"group": "crew"}}}},
        "layout.folders./srv/data/openclaw/x.group",
        "is no group that accounts declares",
    ),
]
AT_THE_TOP: list[Case] = [
    ({"storrage": {}}, "storrage", "is not a known setting"),
    ({"Storage": {}}, "Storage", "is not a known setting"),
    ({"docker": {}}, "docker", "is not a known setting"),
    ({"base": None}, "base", "valid dictionary"),
    ({"storage": []}, "storage", "valid dictionary"),
    ({"engine": "docker.io"}, "engine", "valid dictionary"),
    ({"accounts": 5}, "accounts", "valid dictionary"),
    ({"layout": True}, "layout", "valid dictionary"),
    ({"ssh_prot": 22}, "ssh_prot", "is not a known setting"),
    ({"only_roles": "base,enginne"}, "only_roles", "is no role"),
    ({"ssh_keys": "id"}, "ssh_keys", "is not a known setting"),
    ({"shh_user": "psy"}, "shh_user", "is not a known setting"),
    ({"ssh_port": "ssh"}, "ssh_port", "valid integer"),
    ({"ssh_port": 70000}, "ssh_port", "is no port"),
    ({"ssh_key": ["a", "b"]}, "ssh_key", "valid string"),
    ({"ssh_user": 1000}, "ssh_user", "valid string"),
    ({"_sudo": "no"}, "_sudo", "valid boolean"),
    (
        {"ssh_strict_host_key_checking": "maybe"},
        "ssh_strict_host_key_checking",
        "'yes', 'accept-new' or 'no'",
    ),
]
CASES = OF_THE_ROLES + ACROSS_ROLES + AT_THE_TOP
COMMANDS = cycle(["check", "plan", "apply", "verify"])


@dataclass(frozen=True)
class Site:
    """An inventory file whose hosts all lead to one listening socket."""

    folder: Path
    listener: socket.socket

    def inventory(self, **hosts: dict[str, Any]) -> str:
        """Given the data of some hosts by name, write the inventory file; return its path."""
        address, port = self.listener.getsockname()
        reached = {"ssh_hostname": address, "ssh_port": port, "ssh_user": "operator"}
        listed = [(name, reached | data) for name, data in hosts.items()]
        path = self.folder / "bad.py"
        path.write_text(f"lab = {listed!r}\n", encoding="utf-8")
        return str(path)

    def connections(self) -> int:
        """How many connections were made since this was last asked."""
        made = 0
        with suppress(BlockingIOError):
            while True:
                self.listener.accept()[0].close()
                made += 1
        return made


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0), backlog=32) as listener:
        listener.setblocking(False)
        yield Site(tmp_path, listener)


def run(*arguments: str) -> int:
    """Run the command in this process and return its exit code."""
    with pytest.raises(SystemExit) as end:
        cli.main([*arguments])
    assert isinstance(end.value.code, int)
    return end.value.code


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize(
    ("data", "path", "reason", "command"),
    [(*case, command) for case, command in zip(CASES, COMMANDS, strict=False)],
)
def test_each_is_told_and_nobody_contacted(
    site: Site,
    capsys: pytest.CaptureFixture[str],
    data: dict[str, Any],
    path: str,
    reason: str,
    command: str,
) -> None:
    assert run(command, site.inventory(vm=data), "--json") == 3
    answer = capsys.readouterr()
    document = json.loads(answer.out)
    problems = {problem["path"]: problem for problem in document["problems"]["vm"]}
    assert reason in problems[path]["reason"]
    assert all(each["reason"] and each["cure"] for each in problems.values())
    lines = answer.err.splitlines()
    assert len(lines) == len(document["problems"]["vm"])
    assert any(
        line.startswith(f"vm: At {path}") and reason in line and problems[path]["cure"] in line
        for line in lines
    )
    assert (document["command"], document["exit"], document["hosts"]) == (command, 3, {})
    assert document["error"] == "the settings are invalid; nothing was contacted"
    assert site.connections() == 0


def test_the_socket_would_see_a_connection(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """The proof that the zeros above mean something: valid settings do lead to a connection."""
    site.listener.setblocking(True)
    seen: list[socket.socket] = []

    def accept() -> None:
        connection, _ = site.listener.accept()
        connection.close()
        seen.append(connection)

    machine = Thread(target=accept)
    machine.start()
    assert run("plan", site.inventory(vm={})) == 1
    machine.join(timeout=10)
    assert len(seen) == 1


def test_all_problems_of_all_hosts_come_in_one_go(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    inventory = site.inventory(
        one={"base": {"hostname": "a_b", "timezone": "Mars/Phobos"}, "ssh_prot": 22},
        two={"base": {"hostname": "a_b"}, "storage": {"filesystems": {"data": {"labl": "X"}}}},
        good={},
    )
    assert run("check", inventory, "--json") == 3
    answer = capsys.readouterr()
    assert {
        host: sorted(problem["path"] for problem in problems)
        for host, problems in json.loads(answer.out)["problems"].items()
    } == {
        "one": ["base.hostname", "base.timezone", "ssh_prot"],
        "two": ["base.hostname", "storage.filesystems.data.labl"],
    }
    assert len(answer.err.splitlines()) == 5


def test_no_secret_is_shown(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----"
    for data in (
        {"accounts": {"users": {"psy": {"keys": [key]}}}},
        {"accounts": {"users": {"psy": {"keys": key}}}},
        {"base": {"hostname": key}},
        {"base": {key: 1}},
        {key: 1},
        {"ssh_password": ["c2VjcmV0"]},
        {"ssh_key_password": {"a": "c2VjcmV0"}},
    ):
        assert run("check", site.inventory(vm=data), "--json") == 3
        answer = capsys.readouterr()
        assert "c2VjcmV0" not in answer.out + answer.err


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"lab = [\n", "bad.py, line 1: '[' was never closed; correct that line"),
        (b"lab = '\xff'\n", "bad.py: cannot be read ('utf-8' codec can't decode byte 0xff"),
        (b"lab = []\n", "bad.py: no hosts in this inventory; add one as a list item"),
        (b"import nosuch\n", "bad.py, line 1: ModuleNotFoundError: No module named 'nosuch'"),
        (None, "bad.py: no such inventory; known: inventories/example.py, inventories/lab.py"),
    ],
)
def test_an_inventory_that_is_no_python_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, line: str
) -> None:
    inventory = tmp_path / "bad.py"
    if content is not None:
        inventory.write_bytes(content)
    assert run("check", str(inventory), "--json") == (1 if content is None else 3)
    answer = capsys.readouterr()
    document = json.loads(answer.out)
    assert line in document["error"]
    assert answer.err.splitlines() == [document["error"]]


@pytest.mark.parametrize("command", ["check", "plan", "apply", "verify"])
@pytest.mark.parametrize("as_json", [True, False])
def test_the_process_itself_ends_so(site: Site, command: str, as_json: bool) -> None:
    inventory = site.inventory(vm={"base": {"hostnam": "x"}})
    argv = [sys.executable, "-P", "-m", "clup", command, inventory, *["--json"] * as_json]
    done = subprocess.run(argv, cwd=site.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == (
        "vm: At base.hostnam (inventory, host vm): is not a known setting;"
        " did you mean 'hostname'?\n"
    )
    if as_json:
        [problem] = json.loads(done.stdout)["problems"]["vm"]
        assert problem["path"] == "base.hostnam"
    else:
        assert done.stdout == ""
    assert site.connections() == 0


def test_plain_pyinfra_says_them_all_too(site: Site) -> None:
    """It connects before it judges anything, so here it converges, or rather does not, @local."""
    inventory = site.folder / "bad.py"
    data = {"base": {"hostname": "a_b"}, "storrage": {}, "storage": {"filesystems": {"data": 1}}}
    inventory.write_text(f"lab = [('@local', {data!r})]\n", encoding="utf-8")
    argv: list[str | Path] = [
        Path(sys.executable).with_name("pyinfra"),
        "-y",
        inventory,
        "deploys/site.py",
    ]
    done = subprocess.run(
        argv,
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr + done.stdout
    for path in ("base.hostname", "storrage", "storage.filesystems.data"):
        assert f"@local: At {path} " in done.stderr
