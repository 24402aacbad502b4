"""The reports of a campaign of faults, and the page that is made from them: docs/evidence.md.

`python -m clup.cli.evidence` writes the page again from the reports of the last campaign.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from clup import revision
from clup.cli.target import ROOT
from clup.evidence import Bug, page, part

PAGE = ROOT / "docs" / "evidence.md"
BUGS = ROOT / "tests" / "faults" / "bugs.toml"
REPORTS = ROOT / ".campaign"
CAMPAIGN, SEED = "CLUP_CAMPAIGN", "CLUP_SEED"
"""What tests see in the environment: that there may be many faults, and what chance begins with."""


def begin(seed: int, files: Iterable[str]) -> dict[str, str]:
    """Given the files of tests that a campaign runs, return what it adds to the environment.

    The last one's reports are forgotten. Those of this one are empty until pytest writes them: a
    file whose pytest is killed is on the page all the same.
    """
    click.echo(f"a campaign with --seed {seed}: its page is {PAGE.relative_to(ROOT)}")
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir()
    (REPORTS / "about.json").write_text(json.dumps(about() | {"seed": str(seed)}), encoding="utf-8")
    for file in files:
        _report(file).touch()
    return {CAMPAIGN: "1", SEED: str(seed)}


def kept(path: str, environment: Mapping[str, str]) -> Path | None:
    """Given a file of tests, return where its report is kept.

    None outside a campaign, and for a folder of tests, such as those of the stage lint.
    """
    return _report(path) if CAMPAIGN in environment and path.endswith(".py") else None


def options(report: Path) -> list[str]:
    """Return the options with which pytest writes a report that bears the revision as its name."""
    return [f"--junit-xml={report}", "-o", f"junit_suite_name={revision.current(ROOT)}"]


def bugs() -> list[Bug]:
    """Return the bugs that tests of faults found, the first one first."""
    listed = tomllib.loads(BUGS.read_text(encoding="utf-8"))["bug"]
    return [Bug(**each) for each in listed]


def write() -> None:
    """Write the page from the reports that are there."""
    about = json.loads((REPORTS / "about.json").read_text(encoding="utf-8"))
    parts = [
        part(path, (ROOT / path).read_text(encoding="utf-8"), file.read_text(encoding="utf-8"))
        for file in sorted(REPORTS.glob("*.xml"))
        for path in [file.name.removesuffix(".py.xml").replace(".", "/") + ".py"]
    ]
    PAGE.write_text(page(about, parts, bugs()), encoding="utf-8")
    click.echo(f"wrote {PAGE.relative_to(ROOT)}")


def about() -> dict[str, str]:
    """Return what is to be known of figures: when, of which revision and where they were seen."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    kernel = platform.release().partition("-")[0]
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "revision": f"`{revision.current(ROOT)}`",
        "machine": f"{os.cpu_count()} cores, {memory:.0f} GiB, Linux {kernel}",
    }


def _report(path: str) -> Path:
    return REPORTS / f"{path.replace('/', '.')}.xml"


if __name__ == "__main__":
    write()
