"""`clup test`: the project's own tests, stage by stage; without a word, all that CI runs."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click

from clup import lab
from clup.cli import FAILED, evidence
from clup.cli.ask import asker
from clup.cli.tally import Tally, tally_of
from clup.cli.target import ROOT

TYPED = ("src", "roles", "deploys", "services", "inventories", "group_data", "tests", "molecule",
         "config.py")  # fmt: skip
INSIDE = tuple(f"src/clup/lab/inside/{name}" for name in ("init", "lab-disks", "lab-seed"))
SHELL = ("clup", ".ci/run", "**/*.sh", *INSIDE)


@dataclass(frozen=True)
class Step:
    """A program of a stage. Pytest counts its tests; any other program counts as one.

    Of one that is `side_by_side` each file gets a process of its own, and as many run at a time as
    there are processors: lab machines mostly wait.
    """

    words: tuple[str, ...]
    is_pytest: bool = False
    side_by_side: bool = False


def _pytest(*paths: str, side_by_side: bool = False) -> Step:
    return Step(("pytest", "-q", *paths), is_pytest=True, side_by_side=side_by_side)


STAGES: dict[str, tuple[Step, ...]] = {
    "unit": (_pytest("tests/unit", "tests/golden"),),
    "lint": (
        Step(("ruff", "check", ".")),
        Step(("ruff", "format", "--check", ".")),
        Step(("mypy", *TYPED)),
        Step(("lint-imports",)),
        Step(("yamllint", "--strict", "molecule", ".github", ".pre-commit-config.yaml")),
        Step(("shellcheck", *SHELL)),
        _pytest("tests/lint"),
    ),
    "molecule": (Step(("molecule", "test")),),
    # The longest first, so that nothing is left to wait for alone. No file's name begins with
    # test_v but those of the stage "vm".
    "lab": (_pytest("tests/lab/test_site.py", "tests/lab/test_[!v]*.py", side_by_side=True),),
    "faults": (_pytest("tests/faults/**/test_[!v]*.py", side_by_side=True),),
    "vm": (_pytest("tests/lab/test_vm*.py", "tests/faults/**/test_vm*.py", side_by_side=True),),
}
"""The stages in their order. A word with a star stands for the tracked files that match it."""

BY_DEFAULT = [stage for stage in STAGES if stage != "vm"]
"""The stages that run without a word. Those of virtual machines do not yet: where these are
emulated they take most of an hour, and they have not been seen to pass all in one run."""

WITH_LABS = {"molecule", "lab", "faults", "vm"}
"""The stages that make labs, without a terminal: what these need is asked for before."""


@click.command()
@click.argument("stages", nargs=-1, type=click.Choice(list(STAGES)), metavar="[STAGE]...")
@click.option("--yes", is_flag=True, help="Install what a lab needs without asking.")
@click.option("--campaign", is_flag=True, help="Try hundreds of faults; write docs/evidence.md.")
@click.option("--seed", type=int, help="Repeat what chance chose in that campaign.")
def command(stages: tuple[str, ...], yes: bool, campaign: bool, seed: int | None) -> None:
    """Run the project's tests: unit, lint, molecule, lab, faults; without a word, all of these.

    The stage vm, on virtual machines, runs only when it is named.

    \b
    Example:
      clup test unit lint
      clup test vm
      clup test faults vm --campaign

    The last line is the count. Exit 0 when nothing failed, else 1. With CI in the environment, a
    skipped test fails unless this machine cannot run it at all.
    """
    if campaign and "faults" not in stages:
        raise click.UsageError("--campaign is about the stage faults: clup test faults --campaign")
    _install_tools()
    if not stages or WITH_LABS.intersection(stages):
        _equip(yes)
    environment = _environment()
    if campaign:
        environment |= evidence.begin(random.randrange(1 << 31) if seed is None else seed)
    total = Tally()
    for stage in stages or BY_DEFAULT:
        click.secho(f"== {stage}", bold=True)
        started = time.monotonic()
        tally = sum((_run_all(step, environment) for step in STAGES[stage]), Tally())
        click.secho(f"== {stage}: {tally} in {time.monotonic() - started:.0f} s", bold=True)
        total += tally
    if campaign:
        evidence.write()
    click.echo(total)
    if total.failed:
        sys.exit(FAILED)


def _run_all(step: Step, environment: Mapping[str, str]) -> Tally:
    words = [word for pattern in step.words for word in expand(pattern, _tracked)]
    if not step.side_by_side:
        click.echo(f"-- {' '.join(words)}")
        return _run(words, step.is_pytest, environment)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        calls = [
            pool.submit(_run_apart, each, step.is_pytest, environment) for each in apart(words)
        ]
        return sum((call.result() for call in calls), Tally())


def _run_apart(words: Sequence[str], is_pytest: bool, environment: Mapping[str, str]) -> Tally:
    """Run a program whose output is shown as a whole when it has ended."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        tally = _run(words, is_pytest, environment, output)
        output.seek(0)
        said = output.read().decode(errors="replace")
    click.echo(f"-- {' '.join(words)}\n{said}   {tally} in {time.monotonic() - started:.0f} s")
    return tally


def apart(words: Sequence[str]) -> list[list[str]]:
    """Given a program's words with its files last, return them for each file, named once."""
    files = [word for word in words if word.endswith(".py")]
    program = [word for word in words if word not in files]
    return [[*program, file] for file in dict.fromkeys(files)]


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
        text = report.read_text(encoding="utf-8") if report.exists() else None
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
