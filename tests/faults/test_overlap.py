"""The remote half of a killed run: it ends by itself, and the next run waits until it has.

The commands of both runs are seen on the machine, through programs that log when they begin and
end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clup import lab
from clup.transport import guard, lock
from tests.faults.runs import begin, ended, wait_for
from tests.lab.command import ROOT, clup, on_machine
from tests.lab.machines import converged

NAME = "overlap"
SITE = "inventories/lab.py"
HOST = f"lab-{NAME}"
DOOMED = Path(__file__).parent / "cuts" / "doomed.py"
DROP_IN = "/etc/systemd/journald.conf.d/50-clup.conf"
SEEN, GO = "/root/seen", "/root/go"
PATHS = {"CLUP_LAB": NAME, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with converged(NAME) as made:
        yield made


@contextmanager
def slow(box: lab.Lab, program: str) -> Iterator[None]:
    """Have a program on the machine wait until it is let go, 60 s at most, and log when it begins
    and ends."""
    wrapper = f"/usr/local/sbin/{program}"
    on_machine(
        box,
        f"""real=$(command -v {program}); rm -f {SEEN} {GO}; cat >{wrapper} <<.
#!/bin/sh
echo begin >>{SEEN}; timeout 60 sh -c 'until [ -e {GO} ]; do sleep 0.1; done'
$real "\\$@"; status=\\$?; echo end >>{SEEN}; exit \\$status
.
        chmod 0755 {wrapper}""",
    )
    try:
        yield
    finally:
        on_machine(box, f"rm {wrapper}")


def let_go(box: lab.Lab) -> None:
    """Have the slow program be slow no longer."""
    on_machine(box, f"touch {GO}")


def seen(box: lab.Lab) -> list[str]:
    return on_machine(box, f"touch {SEEN}; cat {SEEN}").split()


def wait_until_begun(box: lab.Lab) -> None:
    """Wait until the slow program runs on the machine, 60 s at most."""
    on_machine(
        box, f"timeout 60 sh -c 'until grep -q begin {SEEN} 2>/dev/null; do sleep 0.1; done'"
    )


def wait_until_quiet(box: lab.Lab) -> None:
    """Wait until no command of a killed run is left on the machine, 60 s at most."""
    on_machine(box, f"flock -w 60 {guard.RUNNING} true")


def doom(moment: str, number: int) -> None:
    """Run an apply that dies at a moment of its own."""
    words = [sys.executable, "-P", str(DOOMED), moment, str(number), "apply", SITE]
    killed = subprocess.run(
        words, cwd=ROOT, env=os.environ | PATHS, capture_output=True, text=True, check=False
    )
    assert killed.returncode == -9, killed.stderr


def test_the_next_run_waits_for_the_command_of_a_killed_one(box: lab.Lab) -> None:
    on_machine(box, f"echo '# by hand' >>{DROP_IN}; rm /etc/apt/apt.conf.d/90clup")
    with slow(box, "sync"):
        run = begin(NAME, "apply", SITE)
        wait_until_begun(box)
        run.kill()
        run.communicate()
        following = begin(NAME, "apply", SITE)
        line = wait_for(following, "waiting")
        let_go(box)
        applied = ended(following)
        assert applied.exit == 0, applied.stderr
        order = seen(box)
    assert len(order) >= 6, "both runs came to change something"
    assert order == ["begin", "end"] * (len(order) // 2), "never two at a time"
    assert "waiting" not in applied.stderr
    assert f"{HOST}: waiting for a command of a former run to end: base: " in line
    assert ", process " in line
    assert clup(NAME, "plan", SITE).exit == 0


def test_a_command_does_not_begin_without_all_of_its_input(box: lab.Lab) -> None:
    """The run dies when the command runs on the machine, which then meets the end of its input."""
    on_machine(box, f"echo '# by hand' >>{DROP_IN}")
    before = on_machine(box, f"cat {DROP_IN}")
    doom("input", 1)
    wait_until_quiet(box)
    assert on_machine(box, f"cat {DROP_IN}") == before
    assert clup(NAME, "apply", SITE).exit == 0
    assert clup(NAME, "plan", SITE).exit == 0


def test_a_command_goes_on_to_its_end_when_its_run_is_killed(box: lab.Lab) -> None:
    """dpkg says enough, to nobody, for a pipe that breaks to end it half-way."""
    on_machine(box, "apt-get -qq -y purge unattended-upgrades >/dev/null")
    with slow(box, "dpkg"):
        run = begin(NAME, "apply", SITE)
        wait_until_begun(box)
        run.kill()
        run.communicate()
        let_go(box)
        wait_until_quiet(box)
    assert on_machine(box, "dpkg --audit") == ""
    state = on_machine(box, "dpkg-query -W -f '${db:Status-Status}' unattended-upgrades")
    assert state == "installed"
    assert clup(NAME, "plan", SITE).exit == 0


def test_a_command_that_does_not_end_is_waited_for_no_longer_than_that(box: lab.Lab) -> None:
    with slow(box, "sync"):
        on_machine(box, f"echo '# by hand' >>{DROP_IN}")
        run = begin(NAME, "apply", SITE)
        wait_until_begun(box)
        run.kill()
        run.communicate()
        said = on_machine(box, f"sh -s me token 1 <<'.'\n{lock._HOLD}\n.").splitlines()
        assert [line.split()[0] for line in said] == ["waiting", "left"]
        assert "base: Limit the journal, process " in said[1]
        let_go(box)
        wait_until_quiet(box)
    assert clup(NAME, "apply", SITE).exit == 0


def test_a_command_of_a_run_that_another_one_has_followed_does_not_begin(box: lab.Lab) -> None:
    """It was sent, and came to run on the machine only after the next run had begun."""
    on_machine(box, f"echo '# by hand' >>{DROP_IN}")
    run = begin(NAME, "apply", SITE)
    wait_for(run, "reading the machines")
    run.send_signal(signal.SIGSTOP)
    on_machine(box, f"echo another >{guard.TOKEN}")
    run.send_signal(signal.SIGCONT)
    answer = ended(run)
    assert answer.exit == 1
    assert "another run has begun on this machine" in answer.stderr
    assert "by hand" in on_machine(box, f"cat {DROP_IN}")
    assert clup(NAME, "apply", SITE).exit == 0
