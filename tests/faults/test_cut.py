"""Runs that are cut: by Ctrl-C, by a connection that ends, by another run; and who may apply.

Whatever was cut, the next apply converges the machine.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clup import lab, revision
from tests.faults.runs import begin, ended, inventory, only_line, told, wait_for, way_to
from tests.lab.command import ROOT, clup, on_machine
from tests.lab.machines import converged

NAME = "cut"
SITE = "inventories/lab.py"
HOST = f"lab-{NAME}"
JOURNAL = "/var/lib/clup/journal.jsonl"
WORK = (
    "rm -f /etc/systemd/journald.conf.d/*; chmod 0777 /srv/data/openclaw/*;"
    " dpkg -r unattended-upgrades >/dev/null"
)
"""Breaks enough for an apply to take a while: its first change is one of many."""


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with converged(NAME) as machine:
        yield machine


def converges() -> None:
    """The next apply does what is left, and the one after that nothing."""
    applied = clup(NAME, "apply", SITE)
    assert applied.exit == 0, applied.stderr
    assert clup(NAME, "plan", SITE).operations("would change") == set()


def interrupted(run: subprocess.Popen[str]) -> str:
    """Press Ctrl-C; return what the run says about the state that it leaves, its only line."""
    run.send_signal(signal.SIGINT)
    answer = ended(run)
    assert answer.exit == 1
    [line] = told(answer)
    assert answer.document["error"] == line
    return line


def test_an_interrupt_while_connecting(box: lab.Lab, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        way = way_to(box, ssh_port=silent.getsockname()[1])
        run = begin(NAME, "plan", inventory(tmp_path, vm=way))
        wait_for(run, "connecting")
        silent.accept()
        assert interrupted(run) == "interrupted: nothing was changed"


@pytest.mark.parametrize("moment", [0.15, 0.25, 0.35, 0.45, 0.55])
def test_an_interrupt_while_python_is_loading(tmp_path: Path, moment: float) -> None:
    """There is no state yet, and perhaps no document; but it ends, and without a traceback."""
    run = begin(NAME, "plan", inventory(tmp_path, vm={"ssh_hostname": "192.0.2.1"}))
    time.sleep(moment)
    run.send_signal(signal.SIGINT)
    _, stderr = run.communicate(timeout=20)
    assert run.returncode in (1, -signal.SIGINT)
    assert "Traceback" not in stderr


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_an_interrupt_while_reading(box: lab.Lab, command: str) -> None:
    run = begin(NAME, command, SITE)
    wait_for(run, "reading the machines")
    assert interrupted(run) == "interrupted: nothing was changed"


def test_an_interrupt_while_applying(box: lab.Lab) -> None:
    on_machine(box, WORK)
    run = begin(NAME, "apply", SITE)
    wait_for(run, "  + ")
    line = interrupted(run)
    assert line.startswith(f"interrupted: {HOST}: ")
    assert "changes were done, the last one: base: " in line
    assert line.endswith("apply again to converge")
    last = json.loads(on_machine(box, f"tail -n 1 {JOURNAL}"))
    assert last["result"] == "interrupted"
    converges()


def test_a_connection_that_ends_while_applying(box: lab.Lab) -> None:
    """sshd's processes of this login are killed as soon as apt is at work."""
    on_machine(
        box,
        f"""{WORK}
        systemd-run -q --collect sh -c 'until pgrep -x apt-get; do sleep 0.05; done
        pkill -f "^sshd.*: operator"'""",
    )
    line = only_line(clup(NAME, "apply", SITE), HOST)
    assert "base: Install the packages of the machine itself" in line
    assert "the connection ended; what runs there may go on for a while" in line
    converges()


def test_a_connection_that_ends_while_planning(box: lab.Lab, tmp_path: Path) -> None:
    """The other host of the run, here the same machine over another account, is planned."""
    on_machine(
        box,
        """useradd -m other 2>/dev/null && cp -r ~operator/.ssh ~other/ && chown -R other: ~other
        echo 'other ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/other
        before=$(pgrep -fc "^sshd.*: operator")
        systemd-run -q --collect sh -c 'until [ "$(pgrep -fc "^sshd.*: other")" -gt 0 ] &&
        [ "$(pgrep -fc "^sshd.*: operator")" -gt "$1" ]; do sleep 0.02; done; sleep 0.3
        pkill -f "^sshd.*: operator"' sh "$before" """,
    )
    path = inventory(tmp_path, lost=way_to(box), vm=way_to(box, ssh_user="other"))
    planned = clup(NAME, "plan", path)
    assert only_line(planned, "lost").startswith("lost: ")
    assert "the connection ended" in only_line(planned, "lost")
    assert len(planned.document["hosts"]["vm"]["operations"]) > 40


def test_a_second_apply_at_the_same_time(box: lab.Lab) -> None:
    on_machine(box, WORK)
    first = begin(NAME, "apply", SITE)
    wait_for(first, "  + ")
    first.send_signal(signal.SIGSTOP)
    try:
        line = only_line(clup(NAME, "apply", SITE), HOST)
        assert line.startswith(f"{HOST} is being changed by ")
        assert f", process {first.pid}; wait until that run ends" in line
        assert clup(NAME, "plan", SITE).exit == 2, "a plan only reads"
    finally:
        first.send_signal(signal.SIGCONT)
    assert ended(first).exit == 0
    assert clup(NAME, "plan", SITE).exit == 0


@contextmanager
def journal_ending_in(box: lab.Lab, line: str) -> Iterator[None]:
    """Have the machine's journal end in a line for a while."""
    on_machine(box, f"cp {JOURNAL} /root/; cat >>{JOURNAL} <<'.'\n{line}\n.")
    try:
        yield
    finally:
        on_machine(box, f"cat /root/journal.jsonl >{JOURNAL}")


def test_an_older_revision(box: lab.Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newer commit lies in a folder beside the repository, whose objects stay as they are."""
    git = ["git", "-C", str(ROOT), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    objects = subprocess.run(
        [*git, "rev-parse", "--git-path", "objects"], capture_output=True, text=True, check=True
    ).stdout.strip()
    apart = {
        "GIT_OBJECT_DIRECTORY": str(tmp_path),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str((ROOT / objects).resolve()),
    }
    newer = subprocess.run(
        [*git, "commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "newer"],
        env=os.environ | apart, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", str(tmp_path))
    entry = {"time": "2030-01-01", "who": "eve@desk", "result": "done", "changed": 1}
    now = revision.current(ROOT).removesuffix("+changes")
    with journal_ending_in(box, json.dumps(entry | {"revision": newer})):
        line = only_line(clup(NAME, "apply", SITE), HOST)
        assert f"{newer[:12]} was applied last, and {now[:12]} is older" in line
        assert line.endswith("(2030-01-01, eve@desk); pull first, or say --older")
        on_machine(box, "touch /etc/eve; echo file /etc/eve >>/var/lib/clup/managed")
        assert only_line(clup(NAME, "remove", "/etc/eve", SITE, "--yes"), HOST) == line
        assert only_line(clup(NAME, "forget", "/etc/eve", SITE), HOST) == line
        assert clup(NAME, "forget", "/etc/eve", SITE, "--older").exit == 0
        on_machine(box, "rm /etc/eve")
        assert clup(NAME, "apply", SITE, "--older").exit == 0
    with journal_ending_in(box, json.dumps(entry | {"revision": "f" * 40})):
        line = only_line(clup(NAME, "apply", SITE), HOST)
        assert "ffffffffffff was applied last, which this clone does not know" in line


@pytest.mark.parametrize("line", ['{"time": "2030', "\\0\\0\\0", "[]", '{"time": 1}'])
def test_a_line_of_the_journal_that_was_cut_is_passed_over(box: lab.Lab, line: str) -> None:
    with journal_ending_in(box, line):
        assert clup(NAME, "apply", SITE).exit == 0
        assert json.loads(on_machine(box, f"tail -n 1 {JOURNAL}"))["result"] == "done"


def test_a_journal_without_an_entry_is_refused(box: lab.Lab) -> None:
    with journal_ending_in(box, "\n".join(["no entry"] * 9)):
        told_line = only_line(clup(NAME, "apply", SITE), HOST)
        assert f"{JOURNAL}: none of the last lines is an entry" in told_line
        assert clup(NAME, "apply", SITE, "--older").exit == 0
