"""`clup job` and `clup audit` as an operator types them, before the real guard and runner.

The tests run in the order in which they stand.
"""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import IO, Any

import pytest

from clup import lab
from tests.lab.command import ROOT, Answer, clup, on_machine
from tests.lab.machines import inventory
from tests.lab.runner_machine import asked, ended, machine, wait_for_health

NAME = "job-client"
LINES = [f"line {number}" for number in range(1, 41)]

# Ends sshd's own process of the connection over which clup's program runs, as if the network had.
CUT = """
process=$(pgrep -o -f 'clup.machine.jo[b]')
until [ "$(cut -c -4 /proc/$process/comm)" = sshd ]; do
  process=$(ps -o ppid= -p $process | tr -d ' ')
done
kill -9 $process
"""


class Operator:
    """Who types commands about the jobs of one machine."""

    def __init__(self, box: lab.Lab):
        self.box = box
        self.where = inventory(box, {})

    def begin(self, *words: str, terminal: int | None = None) -> subprocess.Popen[bytes]:
        """Start a command and return while it runs. `terminal` is that of somebody who sits there;
        without one, stdin is empty and stderr is read."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "clup", *words, self.where],
            cwd=ROOT,
            env=os.environ | {"CLUP_LAB": NAME},
            bufsize=0,  # a line that is read takes nothing of those behind it
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if terminal is None else terminal,
        )

    def type(self, *words: str) -> tuple[int, str, str]:
        """Return the exit code of a command, its stdout and its stderr."""
        process = self.begin(*words)
        out, err = process.communicate(timeout=180)
        assert b"Traceback" not in err, err
        return process.returncode, out.decode(), err.decode()

    def asks(self, *words: str) -> Answer:
        """Return the answer of a command with --json."""
        return clup(NAME, *words, self.where)

    def found(self, answer: Answer) -> dict[str, Any]:
        """Return what a document has of the machine."""
        found: dict[str, Any] = answer.document["hosts"][NAME]
        return found

    def newest(self) -> str:
        """Return the id of the newest job."""
        return str(self.found(self.asks("job", "history", "--most", "1"))["jobs"][0]["id"])

    def state(self, job: str) -> str:
        """Return how a job is, as the runner itself has it."""
        [said] = asked(self.box, ("GET", f"/v1/jobs/{job}", None))
        return str(said["state"])


@pytest.fixture(scope="module")
def operator() -> Iterator[Operator]:
    with machine(NAME) as box:
        yield Operator(box)


def line(stream: IO[bytes] | None) -> str:
    """Return the next line of what a command prints."""
    assert stream is not None
    return stream.readline().decode().rstrip("\n")


def rest(process: subprocess.Popen[bytes]) -> tuple[int, list[str], str]:
    """Wait for a command's end; return its exit code, the lines on stdout, and its stderr."""
    out, err = process.communicate(timeout=120)
    return process.returncode, out.decode().splitlines(), (err or b"").decode()


def test_what_there_is_to_run_is_listed(operator: Operator) -> None:
    code, out, _ = operator.type("job", "list")
    assert code == 0
    assert "greets: what a test needs (60 s at most)\n  level=low|high, low by default\n" in out
    found = operator.found(operator.asks("job", "list"))
    assert out.endswith(f"{NAME}: {len(found['catalogue'])} jobs to run, 0 run or wait\n")
    assert {"greets", "fails", "counts"} <= {each["name"] for each in found["catalogue"]}


def test_a_jobs_exit_code_is_the_commands_own(operator: Operator) -> None:
    code, out, err = operator.type("job", "run", "greets", "level=high")
    assert (code, out) == (0, "level high\nsource\n")
    assert "oh\n" in err
    assert "greets" in err.splitlines()[-1]
    assert "succeeded after" in err.splitlines()[-1]
    assert operator.type("job", "run", "fails")[0] == 3
    assert operator.type("job", "run", "eats")[0] == 137
    assert operator.type("job", "run", "hangs")[0] == 124


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("greet",), 123, "`clup job list` lists the jobs"),
        (("greets", "level=none"), 123, "`clup job list` tells what it takes"),
        (("greets", "level=low", "--param", "level=high"), 64, "level is given twice"),
    ],
)
def test_what_is_not_taken_has_a_code_of_its_own(
    operator: Operator, words: tuple[str, ...], code: int, said: str
) -> None:
    ended, out, err = operator.type("job", "run", *words)
    assert (ended, out) == (code, "")
    assert said in err


def test_lines_come_as_they_are_printed_and_a_job_can_be_ended(operator: Operator) -> None:
    process = operator.begin("job", "run", "lasts")
    assert line(process.stdout) == "begun"
    job = operator.newest()
    assert (process.poll(), operator.state(job)) == (None, "running")
    code, out, _ = operator.type("job", "cancel", job[:8])
    assert code == 0
    assert out.startswith(f"lasts {job[:12]}: cancelled")
    assert rest(process)[0] == 121
    assert operator.type("job", "cancel", job)[0] == 0, "one that has ended stays as it is"
    assert operator.type("job", "cancel", "0000")[0] == 1


def test_a_connection_that_is_cut_is_made_anew_where_it_was(operator: Operator) -> None:
    process = operator.begin("job", "run", "counts")
    first = line(process.stdout)
    on_machine(operator.box, CUT)
    code, out, err = rest(process)
    assert (code, [first, *out]) == (7, LINES)
    assert "the connection broke (" in err
    assert err.count("over\n") == 1


def test_a_command_that_dies_is_picked_up_by_logs(operator: Operator) -> None:
    process = operator.begin("job", "run", "counts")
    assert line(process.stdout) == LINES[0]
    process.kill()
    rest(process)
    job = operator.newest()
    assert operator.state(job) == "running"
    so_far = operator.type("job", "logs", job[:8])
    assert so_far[0] == 0
    assert so_far[1].splitlines()[0] == LINES[0]
    code, out, err = operator.type("job", "logs", job, "--follow")
    assert (code, out.splitlines()) == (7, LINES)
    assert err.count("over\n") == 1


def test_ctrl_c_leaves_the_job_and_says_how_to_come_back(operator: Operator) -> None:
    process = operator.begin("job", "run", "lasts")
    assert line(process.stdout) == "begun"
    process.send_signal(signal.SIGINT)
    code, _, err = rest(process)
    job = operator.newest()
    assert code == 130
    assert f"the job goes on; `clup job logs {job} {operator.where} --follow` comes back" in err
    assert f"`clup job cancel {job} {operator.where}` ends it" in err
    assert operator.state(job) == "running"
    assert operator.type("job", "cancel", job)[0] == 0


def test_ctrl_c_at_a_terminal_asks_whether_the_job_shall_end(operator: Operator) -> None:
    ours, theirs = pty.openpty()
    try:
        process = operator.begin("job", "run", "lasts", terminal=theirs)
        assert line(process.stdout) == "begun"
        process.send_signal(signal.SIGINT)
        said = b""
        while b"Shall it end?" not in said:
            assert select.select([ours], [], [], 60)[0], said
            said += os.read(ours, 4096)
        os.write(ours, b"y\n")
        assert process.wait(timeout=60) == 121
        assert process.stdout is not None
        process.stdout.close()
    finally:
        os.close(ours)
        os.close(theirs)
    assert operator.state(operator.newest()) == "cancelled"


def test_a_job_that_nobody_waits_for(operator: Operator) -> None:
    code, out, err = operator.type("job", "run", "naps", "--detach")
    job = out.strip()
    assert (code, len(job)) == (0, 32)
    assert "comes back to it" in err
    [said] = ended(operator.box, job)
    assert said["state"] == "succeeded"


def test_history_and_record_of_what_was_run(operator: Operator) -> None:
    code, out, _ = operator.type("job", "history", "--job", "fails", "--since", "1h")
    rows = out.splitlines()
    assert (code, len(rows)) == (0, 2)
    assert "failed" in rows[0]
    assert rows[1] == f"{NAME}: 1 jobs"
    found = operator.found(operator.asks("job", "history", "--state", "cancelled"))
    assert [job["job"] for job in found["jobs"]] == ["lasts"] * 3
    job = found["jobs"][0]["id"]
    code, out, _ = operator.type("job", "audit", job[:8])
    assert code == 0
    assert [row.split("  ")[-1].strip() for row in out.splitlines()][:2] == ["queued", "running"]
    assert "operator: lasts" in out
    assert operator.type("job", "audit", "0000")[0] == 1


def test_the_record_is_whole_and_a_line_that_changed_is_named(operator: Operator) -> None:
    code, out, _ = operator.type("audit", "verify")
    assert code == 0
    assert out.startswith(f"{NAME}: whole: ")
    altered = "sed -i s/operator/somebody/ /srv/stand/audit/*.jsonl"
    on_machine(operator.box, f"cp -a /srv/stand/audit /root/audit; {altered}")
    answer = operator.asks("audit", "verify")
    assert answer.exit == 2
    assert "altered" in {each["kind"] for each in operator.found(answer)["findings"]}
    on_machine(operator.box, "cp -a /root/audit/. /srv/stand/audit")
    assert operator.type("audit", "verify")[0] == 0


def test_a_runner_that_is_down_is_no_end_of_a_job(operator: Operator) -> None:
    on_machine(operator.box, "docker stop dkr-claw-runner")
    began = time.monotonic()
    answer = operator.asks("job", "run", "greets")
    assert (answer.exit, answer.document["fault"]["code"]) == (125, "unreachable")
    assert time.monotonic() - began < 60
    assert operator.asks("job", "list").exit == 1
    assert operator.type("audit", "verify")[0] == 0, "it reads files"
    on_machine(operator.box, "docker start dkr-claw-runner")
    wait_for_health(operator.box)
    assert operator.type("job", "run", "greets")[0] == 0
