"""How long a run takes that has nothing to change, side by side on each converged lab machine.

    python -m tests.bench.no_change LAB... [RUNS]

In turn, RUNS times each (default 5), so that a slow moment of this machine meets all of them:
- one hand-written shell script over one ssh, which checks the same end state;
- pyinfra without this project's config.py: no fast path;
- `clup apply`, `clup plan`, `clup verify`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from clup import lab

ROOT = Path(__file__).resolve().parents[2]
SITE = ("inventories/lab.py", "deploys/site.py")


@dataclass
class Variant:
    """One way to do it, and what its runs took."""

    name: str
    argv: list[str]
    stdin: Path | None = None
    seconds: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    commands: int | None = None
    count: Callable[[str], int] | None = None

    def run(self, environment: dict[str, str]) -> None:
        """Run it once; raise RuntimeError unless it ends with 0."""
        with tempfile.TemporaryFile() as out, (self.stdin or Path(os.devnull)).open("rb") as given:
            started = time.perf_counter()
            process = subprocess.Popen(
                self.argv, cwd=ROOT, env=environment, stdin=given, stdout=out, stderr=out
            )
            _, status, usage = os.wait4(process.pid, 0)
            self.seconds.append(time.perf_counter() - started)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.peak_mb.append(usage.ru_maxrss / 1000)
            out.seek(0)
            text = out.read().decode(errors="replace")
        if process.returncode != 0:
            raise RuntimeError(f"{self.name} ended with {process.returncode}:\n{text[-2000:]}")
        if self.count and self.commands is None:
            self.commands = self.count(text)


def variants(box: lab.Lab) -> list[Variant]:
    """Return the ways to compare, the script first: it is what the others are measured by."""
    python = Path(sys.executable)
    pyinfra = str(python.with_name("pyinfra"))
    clup = [sys.executable, "-P", "-m", "clup"]
    script = ROOT / "tests/bench/check.sh"
    return [
        Variant("shell script", lab.ssh_argv(box, ["sudo", "sh", "-s"]), script, commands=1),
        Variant(
            "pyinfra alone",
            [pyinfra, "--config", "no-such-file.py", "-y", "-vv", *SITE],
            count=lambda text: text.count(">>> "),
        ),
        *(
            Variant(f"clup {word}", [*clup, word, SITE[0], "--json"], count=_commands)
            for word in ("apply", "plan", "verify")
        ),
    ]


def _commands(text: str) -> int:
    document = json.loads(text[text.index("{") :])
    return sum(int(host["commands"]) for host in document["hosts"].values())


def measure(name: str, runs: int) -> list[Variant]:
    """Given a converged lab, run every variant in turn and return them with their figures."""
    environment = os.environ | {"CLUP_LAB": name, "PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"}
    compared = variants(lab.find(name))
    for _ in range(runs):
        for variant in compared:
            variant.run(environment)
    return compared


def table(name: str, compared: list[Variant]) -> Table:
    """Return a lab's figures as a table: medians, spread, and ratios to the first two."""
    title = f"{name}, a {lab.find(name).kind}"
    shown = Table("variant", "median s", "min to max s", "commands", "peak MB", title=title)
    shown.add_column("to script")
    shown.add_column("to pyinfra")
    medians = [statistics.median(variant.seconds) for variant in compared]
    for variant, median in zip(compared, medians, strict=True):
        shown.add_row(
            variant.name,
            f"{median:.2f}",
            f"{min(variant.seconds):.2f} to {max(variant.seconds):.2f}",
            str(variant.commands),
            f"{max(variant.peak_mb):.0f}",
            f"{median / medians[0]:.1f}",
            f"{median / medians[1]:.2f}",
        )
    return shown


if __name__ == "__main__":
    *names, last = sys.argv[1:]
    names, runs = (names, int(last)) if last.isdigit() else ([*names, last], 5)
    for each in names:
        Console(width=100).print(table(each, measure(each, runs)))
