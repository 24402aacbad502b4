"""docs/evidence.md: what a campaign of faults tried and what came of it, from its JUnit reports.

A test is told by the first line of its docstring, else by its name; its cases are its parameters.
A test that counts faults of a kind says so in a property of its report, named `KIND` and the kind;
one that counts what became of jobs, in one named `FATES` and what befell them.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from xml.etree import ElementTree

KIND = "kind: "
"""How the name of a property begins whose value is the number of faults of that kind."""

FATES = "fates: "
"""How the name of a property begins whose value says of how many jobs what became, in JSON."""


@dataclass(frozen=True)
class Bug:
    """A bug that a test of faults found: what it was, what showed it, which commit mended it."""

    what: str
    found_by: str
    mended_in: str


@dataclass
class Tried:
    """One test, with how its cases ended and how many faults it counted, by their kind."""

    title: str
    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    fates: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def result(self) -> str:
        """Say how it ended, in a word or a few."""
        said = [f"**{self.failed} failed**"] * bool(self.failed)
        said += [f"{self.passed} passed"] * bool(self.passed)
        said += [f"{len(self.skipped)} skipped: {self.skipped[0]}" if self.skipped else ""]
        return ", ".join(word for word in said if word)


@dataclass(frozen=True)
class Part:
    """One file of tests: its path, what it is about, and what its tests came to.

    The revision is that of its report, none where there is no report.
    """

    path: str
    title: str
    revision: str | None = None
    minutes: float = 0
    tests: Sequence[Tried] = ()


def part(path: str, source: str, report: str) -> Part:
    """Given a file of tests with its source, and the JUnit report of its run, return the part.

    The report's suite bears the revision as its name. Where pytest wrote no report, it is "".
    """
    tree = ast.parse(source)
    title = _first_line(tree) or path
    if not report:
        return Part(path, title)
    titles = {
        node.name: _first_line(node) or node.name.removeprefix("test_").replace("_", " ")
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    suite = next(ElementTree.fromstring(report).iter("testsuite"))
    tests: dict[str, Tried] = {}
    for case in suite.iter("testcase"):
        name = case.get("name", "").partition("[")[0]
        tried = tests.setdefault(name, Tried(titles.get(name, name)))
        if case.find("failure") is not None or case.find("error") is not None:
            tried.failed += 1
        elif (skip := case.find("skipped")) is not None:
            tried.skipped.append(skip.get("message", ""))
        else:
            tried.passed += 1
        for each in case.iter("property"):
            if (kind := each.get("name", "")).startswith(KIND):
                kind = kind.removeprefix(KIND)
                tried.kinds[kind] = tried.kinds.get(kind, 0) + int(each.get("value", "0"))
            elif kind.startswith(FATES):
                tried.fates[kind.removeprefix(FATES)] = json.loads(each.get("value", "{}"))
    minutes = float(suite.get("time", "0")) / 60
    return Part(path, title, suite.get("name", "unknown"), minutes, list(tests.values()))


def page(about: dict[str, str], parts: Sequence[Part], bugs: Iterable[Bug]) -> str:
    """Given what is to be known of a campaign, what it tried, and all bugs, return the page."""
    lines = [*_HEAD, *_row("about", "this campaign"), "|---|---|"]
    lines += [line for name, value in about.items() for line in _row(name, value)]
    lines += ["", "## Faults, by their kind", "", *_row("what befell a run", "how many", "result")]
    lines += ["|---|---|---|"]
    for tried in (tried for each in parts for tried in each.tests):
        for kind, number in tried.kinds.items():
            result = "**failed**" if tried.failed else "converged, nothing lost"
            lines += _row(kind, str(number), result)
    lines += ["", *_fates(parts), "## Every test", ""]
    for each in parts:
        lines += [f"### {each.title}", ""]
        if each.revision is None:
            lines += [f"`{each.path}`, **failed: no report**", ""]
            continue
        lines += [f"`{each.path}`, {each.minutes:.0f} min, revision `{each.revision[:12]}`", ""]
        lines += [*_row("what is tried", "cases", "result"), "|---|---|---|"]
        for tried in each.tests:
            cases = tried.passed + tried.failed + len(tried.skipped)
            lines += _row(tried.title, str(cases), tried.result)
        lines.append("")
    return "\n".join([*lines, *section_of(bugs)]) + "\n"


def _fates(parts: Sequence[Part]) -> Iterator[str]:
    """Yield the lines about what became of jobs, if any were counted."""
    fates = {
        death: numbers
        for each in parts
        for tried in each.tests
        for death, numbers in tried.fates.items()
    }
    if not fates:
        return
    names = next(iter(fates.values()))
    yield from ["## Jobs that ran meanwhile", ""]
    yield "What was interrupted is not run again. After each death the audit chain was whole."
    yield from ["", *_row("what befell them", *names), f"|---|{'---|' * len(names)}"]
    for death, numbers in fates.items():
        yield from _row(death, *(str(numbers.get(name, 0)) for name in names))
    yield ""


def section_of(bugs: Iterable[Bug]) -> Iterator[str]:
    """Yield the lines of the page about the bugs that were found."""
    yield from ["## Bugs that it found", "", *_row("bug", "found by", "mended in"), "|---|---|---|"]
    for bug in bugs:
        yield from _row(bug.what, bug.found_by, f"`{bug.mended_in}`")


_HEAD = [
    "<!-- Made by `./clup test faults --campaign`; bugs stand in tests/faults/bugs.toml. -->",
    "",
    "# Evidence",
    "",
    "What was done to machines of clup's own tests, and what came of it. `./clup test faults",
    "--campaign` does all of it again and writes this page; `--seed` repeats what chance chose.",
    "",
]


def _first_line(node: ast.Module | ast.FunctionDef) -> str:
    """Return the first sentence of a docstring, without its last dot."""
    text = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
    return text.partition(". ")[0].removesuffix(".")


def _row(*cells: str) -> list[str]:
    escaped = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return [f"| {' | '.join(escaped)} |"]
