"""All benchmarks, one after the other, and what they print: docs/benchmarks.md.

    python -m tests.bench [LAB...]

What takes no time for want of changes is measured on the labs that are named: converged ones, as
`./clup demo` leaves them. Ends with 1 when a figure is not within what is allowed. Some 15 minutes
on a machine that does nothing else.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from clup.cli.evidence import about

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "benchmarks.md"
ALONE = ("guard", "jobs", "slow_reader")
HEAD = """\
<!-- Made by `.venv/bin/python -m tests.bench LAB...`. -->

# Benchmarks

What is compared was run in turn on one machine that did nothing else; a figure beyond what is
allowed ends a benchmark with 1. Run them all again with `.venv/bin/python -m tests.bench LAB...`,
the labs as `./clup demo --kind container --name LAB` and `--kind vm` leave them.
"""


def ran(name: str, *words: str) -> tuple[str, bool]:
    """Run a benchmark; return its part of the page, and whether all was within what is allowed."""
    sys.stderr.write(f"{name} {' '.join(words)}\n")
    module = f"tests.bench.{name}"
    done = subprocess.run(
        [sys.executable, "-m", module, *words], stdout=subprocess.PIPE, text=True, check=False
    )
    tree = ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))
    title, _, text = (ast.get_docstring(tree) or "").partition("\n\n")
    paragraphs = [each for each in text.split("\n\n") if not each.startswith("    ")]
    title = " ".join(title.split()).removesuffix(".")
    said = "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())
    parts = [f"## {title}", *paragraphs, f"```text\n{said}\n```"]
    return "\n\n".join(parts) + "\n", done.returncode == 0


def main(labs: list[str]) -> None:
    """Run them all and write the page."""
    done = [ran(name) for name in ALONE] + ([ran("no_change", *labs)] if labs else [])
    rows = [f"| {name} | {value} |" for name, value in about().items()]
    table = "\n".join(["| about | these figures |", "|---|---|", *rows]) + "\n"
    PAGE.write_text("\n".join([HEAD, table, *(text for text, _ in done)]), encoding="utf-8")
    sys.stderr.write(f"wrote {PAGE}\n")
    if not all(is_within for _, is_within in done):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
