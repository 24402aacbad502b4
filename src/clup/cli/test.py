"""`clup test`: the project's own tests, stage by stage; without a word, all that CI runs."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import click

from clup import lab
from clup.cli import FAILED, evidence
from clup.cli.ask import asker
from clup.cli.side_by_side import side_by_side
from clup.cli.tally import Tally, tally_of
from clup.cli.target import ROOT

TYPED = ("src", "roles", "deploys", "services", "inventories", "group_data", "tests", "molecule",
         "config.py")  # fmt: skip
INSIDE = ("init", "lab-disks", "lab-init", "lab-initrd", "lab-seed")
SHELL = ("clup", ".ci/run", "**/*.sh", *(f"src/clup/lab/inside/{name}" for name in INSIDE))


@dataclass(frozen=True)
class Step:
    """A program of a stage. Pytest counts its tests; any other program counts as one.

    A step with a `load` runs beside others, each file that it names as a process of its own: the
    load is how many processors one of them keeps busy.
    """

    words: tuple[str, ...]
    is_pytest: bool = False
    load: float | None = None


def _pytest(*paths: str, load: float | None = None) -> Step:
    return Step(("pytest", "-q", *paths), is_pytest=True, load=load)


VM, OTHER = 0.75, 0.25
"""The loads of tests with an emulated machine and of the others: both also wait."""


STAGES: dict[str, tuple[Step, ...]] = {
    "unit": (_pytest("tests/unit", "tests/golden", load=OTHER),),
    "lint": (
        Step(("ruff", "check", ".")),
        Step(("ruff", "format", "--check", ".")),
        Step(("mypy", *TYPED)),
        Step(("lint-imports",)),
        Step(("yamllint", "--strict", "molecule", ".github", ".pre-commit-config.yaml")),
        Step(("shellcheck", *SHELL)),
        _pytest("tests/lint"),
    ),
    "molecule": (Step(("molecule", "test"), load=OTHER),),
    # The longest first, here and below, so that nothing is left to wait for alone. No file's name
    # begins with test_v but those of this stage.
    "vm": (
        _pytest(
            "tests/lab/test_vm.py",
            "tests/faults/**/test_vm_[!k]*.py",
            "tests/**/test_vm_*.py",
            load=VM,
        ),
    ),
    "attacks": (_pytest("tests/attacks/test_*.py", load=OTHER),),
    "lab": (
        _pytest(
            "tests/lab/test_s*.py",
            "tests/lab/test_runner_role.py",
            "tests/lab/test_[!v]*.py",
            load=OTHER,
        ),
    ),
    "faults": (
        _pytest(
            "tests/faults/test_cuts.py",
            "tests/faults/test_r[!e]*.py",
            "tests/faults/test_machine.py",
            "tests/faults/**/test_[!v]*.py",
            load=OTHER,
        ),
    ),
}
"""The stages in their order. A word with a star stands for the tracked files that match it."""

ADOPTION = _pytest("tests/lab/test_adoption*.py", "tests/lab/test_leaving.py", load=OTHER)
"""What a campaign tries of the stage lab: machines that somebody else set up, and what is left."""

WITH_LABS = {"molecule", "vm", "attacks", "lab", "faults"}
"""The stages that make labs, without a terminal: what these need is asked for before."""


@click.command()
@click.argument("stages", nargs=-1, type=click.Choice(list(STAGES)), metavar="[STAGE]...")
@click.option("--yes", is_flag=True, help="Install what a lab needs without asking.")
@click.option("--campaign", is_flag=True, help="Try hundreds of faults; write docs/evidence.md.")
@click.option("--seed", type=int, help="Repeat what chance chose in that campaign.")
def command(stages: tuple[str, ...], yes: bool, campaign: bool, seed: int | None) -> None:
    """Run the project's tests: unit, lint, molecule, vm, attacks, lab, faults; without a word, all.

    All but lint run side by side; the attacks are those on guard and runner. On two processors all
    takes some 45 minutes where virtual machines are emulated. A campaign is of the stages faults
    and vm, and of the adoption of machines.

    \b
    Example:
      clup test unit lint
      clup test lab vm
      clup test faults --campaign

    The last line is the count. Exit 0 when nothing failed, else 1. With CI in the environment, a
    skipped test fails unless this machine cannot run it at all.
    """
    if campaign and "faults" not in stages:
        raise click.UsageError("--campaign is about the stage faults: clup test faults --campaign")
    _install_tools()
    if not stages or WITH_LABS.intersection(stages):
        _equip(yes)
    environment = _environment()
    chosen = dict.fromkeys((*stages, "vm") if campaign else stages or STAGES)
    beside = [(stage, step) for stage in chosen for step in STAGES[stage] if step.load is not None]
    if campaign and "lab" not in chosen:
        beside.append(("adoption", ADOPTION))
    if campaign:
        files = [word for _, step in beside for word in _expanded(step) if word.endswith(".py")]
        environment |= evidence.begin(random.randrange(1 << 31) if seed is None else seed, files)
    total = sum((_run_in_turn(stage, environment) for stage in chosen), Tally())
    total += _run_side_by_side(beside, environment)
    if campaign:
        evidence.write()
    click.echo(total)
    if total.failed:
        sys.exit(FAILED)


def _run_in_turn(stage: str, environment: Mapping[str, str]) -> Tally:
    """Run the steps of a stage that run alone."""
    steps = [step for step in STAGES[stage] if step.load is None]
    calls = [partial(_run_shown, _expanded(step), step.is_pytest, environment) for step in steps]
    return _counted(stage, steps, lambda: [call() for call in calls])


def _run_side_by_side(steps: Sequence[tuple[str, Step]], environment: Mapping[str, str]) -> Tally:
    """Run the files of all these steps, each with its stage, as many at a time as fit."""
    apiece = [(step, words) for _, step in steps for words in apart(_expanded(step))]
    # Emulated machines first, or in the end they would be waited for alone.
    apiece.sort(key=lambda each: each[0].load or 0, reverse=True)
    run = _run_apart if len(apiece) > 1 else _run_shown
    calls = [
        (step.load or 0, partial(run, words, step.is_pytest, environment)) for step, words in apiece
    ]
    names = ", ".join(dict.fromkeys(stage for stage, _ in steps))
    return _counted(names, steps, lambda: side_by_side(calls, os.cpu_count() or 1))


def _counted(title: str, steps: Sequence[object], run: Callable[[], Iterable[Tally]]) -> Tally:
    """Run steps, if there are any, between a heading and their count."""
    if not steps:
        return Tally()
    click.secho(f"== {title}", bold=True)
    started = time.monotonic()
    tally = sum(run(), Tally())
    click.secho(f"== {title}: {tally} in {time.monotonic() - started:.0f} s", bold=True)
    return tally


def _expanded(step: Step) -> list[str]:
    return [word for pattern in step.words for word in expand(pattern, _tracked)]


def _run_shown(words: Sequence[str], is_pytest: bool, environment: Mapping[str, str]) -> Tally:
    """Run a program whose output is shown as it comes."""
    click.echo(f"-- {' '.join(words)}")
    return _run(words, is_pytest, environment)


def _run_apart(words: Sequence[str], is_pytest: bool, environment: Mapping[str, str]) -> Tally:
    """Run a program whose output is shown as a whole when it has ended."""
    started = time.monotonic()
    click.echo(f"   begun: {' '.join(words)}")
    with tempfile.TemporaryFile() as output:
        tally = _run(words, is_pytest, environment, output)
        output.seek(0)
        said = output.read().decode(errors="replace")
    click.echo(f"-- {' '.join(words)}\n{said}   {tally} in {time.monotonic() - started:.0f} s")
    return tally


def apart(words: Sequence[str]) -> list[list[str]]:
    """Given a program's words, its files last if it has any, return them for each file."""
    files = [word for word in words if word.endswith(".py")]
    program = [word for word in words if word not in files]
    return [[*program, file] for file in dict.fromkeys(files)] or [program]


def _run(
    words: Sequence[str],
    is_pytest: bool,
    environment: Mapping[str, str],
    output: IO[bytes] | None = None,
) -> Tally:
    if not is_pytest:
        return Tally(failed=1) if _call(words, environment, output) else Tally(passed=1)
    with tempfile.TemporaryDirectory(prefix="clup-test-") as folder:
        report = evidence.kept(words[-1], environment) or Path(folder) / "report.xml"
        status = _call([*words, *evidence.options(report)], environment, output)
        text = report.read_text(encoding="utf-8") if report.exists() else ""
    tally, unexcused = tally_of(text, status, strict="CI" in environment)
    for line in unexcused:
        click.echo(f"skipped in CI: {line}")
    return tally


def expand(word: str, tracked: Callable[[str], Sequence[str]]) -> Sequence[str]:
    """Given a word of a step, return the tracked files that it stands for, or the word itself."""
    return tracked(word) if "*" in word else (word,)


def _tracked(pattern: str) -> list[str]:
    words = ["git", "ls-files", "-z", "--", f":(glob){pattern}"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name]


def _call(words: Sequence[str], environment: Mapping[str, str], output: IO[bytes] | None) -> int:
    sys.stdout.flush()
    with subprocess.Popen(
        words,
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
    ) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The terminal sent it the same signal: let it take down its labs.
            process.wait()
            raise


def _environment() -> dict[str, str]:
    """Return the environment of the steps: the programs of .venv come first."""
    return os.environ | {"PATH": f"{Path(sys.prefix) / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def _equip(yes: bool) -> None:
    """Install what labs need on this machine, once the user agrees."""
    try:
        lab.equip(lambda line: click.echo(line, err=True), asker(yes))
    except lab.LabError as error:
        raise click.ClickException(str(error)) from error


def _install_tools() -> None:
    """Add what requirements-test.txt pins to .venv, unless it is there."""
    lock = ROOT / "requirements-test.txt"
    stamp = Path(sys.prefix) / "clup-test-lock"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest:
        return
    click.echo(f"clup: installing the test tools of {lock.name} (once, about 15 s)", err=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-deps"]
    pip += ["--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
    done = subprocess.run([*pip, "-r", str(lock)], stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise click.ClickException(
            f"the test tools of {lock} were not installed: pip ended with {done.returncode}, "
            "for the reason above; run the command again"
        )
    stamp.write_text(digest, encoding="utf-8")
