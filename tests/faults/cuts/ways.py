"""The ways in which a run of `clup apply` is cut, each at a moment that chance or a count names."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clup import lab
from tests.faults.runs import begin, ended, told
from tests.lab.command import ROOT, Answer, on_machine

DOOMED = Path(__file__).with_name("doomed.py")
BEGUN = "operations to do"
"""What a run says when its first change is next."""


@dataclass(frozen=True)
class Run:
    """An apply that is to be cut: on which lab, with which arguments, and for how many seconds it
    would be at work."""

    box: lab.Lab
    arguments: tuple[str, ...]
    seconds: float


def dies(run: Run, moment: str, number: int) -> bool:
    """Run it until it kills itself at a moment of its own (see doomed.py); False if it did not."""
    doomed = _doomed(run, moment, number)
    _, stderr = doomed.communicate()
    assert doomed.returncode in (0, -signal.SIGKILL), stderr
    return doomed.returncode != 0


def loses_its_power(run: Run, number: int, chance: random.Random) -> bool:
    """Pull the machine's plug some time after the command of that number was sent, then boot it;
    False if there were not so many.
    """
    begun = _doomed(run, "running", number, CLUP_TELLS="1")
    assert begun.stderr is not None
    said = []
    for line in begun.stderr:
        said.append(line)
        if "the moment has come" in line:
            break
    else:
        assert begun.wait() == 0, "".join(said)
        return False
    time.sleep(chance.uniform(0, run.seconds))
    _pull_the_plug(run, begun)
    return True


def loses_its_power_when(run: Run, condition: str) -> None:
    """Pull the machine's plug as soon as a shell's condition holds there, within 120 s of its
    work, then boot it. Its Python programs stop there: they would end before the plug is out."""
    begun = begin(run.box.name, "apply", *run.arguments)
    on_machine(run.box, f"timeout 120 sh -c 'until {condition}; do :; done; pkill -STOP python3'")
    _pull_the_plug(run, begun)


def _pull_the_plug(run: Run, begun: subprocess.Popen[str]) -> None:
    lab.cut(run.box.name)
    _says_where(run, ended(begun))
    lab.up(run.box.name)


def _doomed(run: Run, moment: str, number: int, **environment: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-P", str(DOOMED), moment, str(number), "apply", *run.arguments]
    paths = {"CLUP_LAB": run.box.name, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    return subprocess.Popen(
        [*words, "--json"],
        cwd=ROOT,
        env=os.environ | paths | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def is_killed(run: Run, chance: random.Random) -> bool:
    """Kill it, as by `kill -9`, at a random time of its work; False if it had ended."""
    begun = at_work(run, chance)
    begun.kill()
    begun.communicate()
    return begun.returncode == -signal.SIGKILL


def loses_its_connection(run: Run, chance: random.Random) -> bool:
    """Kill sshd's processes of its login at a random time; False if it had ended.

    It then says, in one line, where it was.
    """
    begun = at_work(run, chance)
    # Those that are there now: the run may end by itself, and the next one begin meanwhile.
    on_machine(
        run.box,
        f"""processes=$(pgrep -d ' ' -f '^sshd.*: {run.box.user}')
        systemd-run -q --collect sh -c "sleep 0.2; kill -KILL $processes" """,
    )
    answer = ended(begun)
    if answer.exit == 0:
        return False
    _says_where(run, answer)
    return True


def _says_where(run: Run, answer: Answer) -> None:
    """The one line about a connection that ended says on which machine, and what to do."""
    lines = told(answer)
    assert len(lines) == 1, answer.stderr
    assert lines[0].startswith(f"lab-{run.box.name}: "), lines
    assert "the connection ended" in lines[0] or "a second login failed" in lines[0], lines


def at_work(run: Run, chance: random.Random) -> subprocess.Popen[str]:
    """Begin it and return it some time after it began its work."""
    begun = begin(run.box.name, "apply", *run.arguments)
    assert begun.stderr is not None
    for line in begun.stderr:
        if BEGUN in line:
            break
    time.sleep(chance.uniform(0, run.seconds))
    return begun


Way = Callable[[Run, random.Random], bool]


def _at(moment: str, most: int) -> Way:
    return lambda run, chance: dies(run, moment, chance.randint(1, most))


WAYS: dict[str, Way] = {
    "killed between two operations": _at("operation", 3),
    "killed between two commands of operations": _at("command", 8),
    "killed before a command had its input": _at("input", 2),
    "killed when a command had just begun": _at("running", 8),
    "killed at a random time": is_killed,
    "connection dropped at a random time": loses_its_connection,
}
"""How a run of a few changes is cut, by the words for it."""
