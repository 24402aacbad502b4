"""All benchmarks, one after the other, and what they print: docs/benchmarks.md.

    python -m tests.bench [LAB...]

What a run costs that has nothing to change is measured on the labs that are named, converged as
`./clup demo` leaves them; without any, its last figures stay. Ends with 1 when a figure is not
within what is allowed. Some 20 minutes on a machine that does nothing else.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from clup.cli.evidence import about

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "benchmarks.md"
KEPT = ROOT / ".bench"
NAMES = ("guard", "jobs", "slow_reader", "no_change")
HEAD = """\
<!-- Made by `.venv/bin/python -m tests.bench LAB...`. -->

# Benchmarks

What is compared was run in turn, on one machine; the load average before tells whether it had other
work. Run them all again, on one that has none, with `.venv/bin/python -m tests.bench LAB...`, the
labs as `./clup demo --name LAB` leaves them with `--kind container` and `--kind vm`; one that ends
with 1 has a figure beyond what is allowed.
"""


def run(name: str, *words: str) -> bool:
    """Run a benchmark and keep what it printed; return whether all is within what is allowed."""
    sys.stderr.write(f"{name} {' '.join(words)}\n")
    load = f"load average before {os.getloadavg()[0]:.1f}"
    argv = [sys.executable, "-m", f"tests.bench.{name}", *words]
    done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False)
    KEPT.mkdir(exist_ok=True)
    kept = json.dumps(about() | {"load": load, "printed": done.stdout})
    (KEPT / f"{name}.json").write_text(kept, encoding="utf-8")
    return done.returncode == 0


def page() -> Iterator[str]:
    """Yield the page in parts: what each benchmark is about, and what was kept of it."""
    yield HEAD
    for name in NAMES:
        if not (KEPT / f"{name}.json").exists():
            continue
        tree = ast.parse((HERE / f"{name}.py").read_text(encoding="utf-8"))
        title, _, text = (ast.get_docstring(tree) or "").partition("\n\n")
        kept = json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8"))
        printed = "\n".join(line.rstrip() for line in kept.pop("printed").strip().splitlines())
        yield f"## {' '.join(title.split()).removesuffix('.')}\n"
        yield from (f"{each}\n" for each in text.split("\n\n") if not each.startswith("    "))
        yield f"`tests/bench/{name}.py`, {', '.join(kept.values())}:\n"
        yield f"```text\n{printed}\n```\n"


def main(labs: list[str]) -> None:
    """Run them all and write the page."""
    within = [run(name) for name in NAMES if name != "no_change"]
    if labs:
        within.append(run("no_change", *labs))
    PAGE.write_text("\n".join(page()), encoding="utf-8")
    sys.stderr.write(f"wrote {PAGE.relative_to(ROOT)}\n")
    if not all(within):
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
