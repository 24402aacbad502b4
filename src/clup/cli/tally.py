"""The count of a stage's tests, from pytest's JUnit report."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree

HERE = "cannot run here"
"""How the reason of a skip begins that holds in CI, too: the kernel or the machine lacks it."""


@dataclass(frozen=True)
class Tally:
    """How many tests passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped
        )

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def tally_of(report: str, status: int, strict: bool) -> tuple[Tally, list[str]]:
    """Given pytest's JUnit report and its exit status, return the count.

    No report, or one that was cut, is a failure; a status other than 0 is at least one, also when
    the report tells of none. When `strict`, a skip whose reason does not begin with HERE counts as
    failed, and is returned as a line that names it.
    """
    try:
        suites = list(ElementTree.fromstring(report).iter("testsuite"))
    except ElementTree.ParseError:
        return Tally(failed=1), []
    count = {
        name: sum(int(suite.get(name, 0)) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    }
    unexcused = [
        f"{case.get('classname')}::{case.get('name')}: {skip.get('message')}"
        for suite in suites
        for case in suite.iter("testcase")
        for skip in case.iter("skipped")
        if strict and not skip.get("message", "").startswith(HERE)
    ]
    broken = count["failures"] + count["errors"]
    failed = max(broken, 1 if status else 0) + len(unexcused)
    skipped = count["skipped"] - len(unexcused)
    return Tally(max(count["tests"] - broken - count["skipped"], 0), failed, skipped), unexcused
