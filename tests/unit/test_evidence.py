"""The page about a campaign: what the reports of its tests become."""

from __future__ import annotations

from pathlib import Path

import pytest

from clup.cli import evidence
from clup.evidence import Bug, page, part

SOURCE = '''"""Runs that are cut. The next one converges.

More about it.
"""

def test_a_kill():
    """It is killed,
    and the next run converges. And so on."""

def test_disks_of_others(): ...
'''
REPORT = """<testsuites><testsuite name="0123456789abcdef" time="150.0">
<testcase name="test_a_kill"><properties>
<property name="kind: killed | at random" value="40"/><property name="other" value="x"/>
<property name="fates: the runner was killed" value='{"accepted": 8, "absent": 0}'/>
</properties></testcase>
<testcase name="test_disks_of_others[luks]"/>
<testcase name="test_disks_of_others[lvm]"><failure message="formatted"/></testcase>
<testcase name="test_disks_of_others[zfs]"><skipped message="cannot run here: no zfs"/></testcase>
</testsuite></testsuites>"""

PAGE = """
| about | this campaign |
|---|---|
| date | today |

## Faults, by their kind

| what befell a run | how many | result |
|---|---|---|
| killed \\| at random | 40 | converged, nothing lost |

## Jobs that ran meanwhile

What was interrupted is not run again. After each death the audit chain was whole.

| what befell them | accepted | absent |
|---|---|---|
| the runner was killed | 8 | 0 |

## Every test

### Runs that are cut

`tests/faults/test_cut.py`, 2 min, revision `0123456789ab`

| what is tried | cases | result |
|---|---|---|
| It is killed, and the next run converges | 1 | 1 passed |
| disks of others | 3 | **1 failed**, 1 passed, 1 skipped: cannot run here: no zfs |

## Bugs that it found

| bug | found by | mended in |
|---|---|---|
| An empty file | a kill | `abc1234` |
"""


def test_the_page() -> None:
    tried = part("tests/faults/test_cut.py", SOURCE, REPORT)
    made = page({"date": "today"}, [tried], [Bug("An empty file", "a kill", "abc1234")])
    assert made[made.index("| about |") :] == PAGE.removeprefix("\n")
    assert "# Evidence\n" in made


def test_a_kind_whose_test_failed_did_not_converge() -> None:
    failed = REPORT.replace("</properties>", '</properties><failure message="lost"/>')
    made = page({}, [part("tests/faults/test_cut.py", SOURCE, failed)], [])
    assert "| killed \\| at random | 40 | **failed** |" in made


def test_a_file_whose_run_left_no_report_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, at in (("ROOT", "."), ("REPORTS", ".campaign"), ("PAGE", "page.md")):
        monkeypatch.setattr(evidence, name, tmp_path / at)
    files = [f"tests/faults/test_{name}.py" for name in ("killed", "well")]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(SOURCE)
    report = evidence.kept(files[1], evidence.begin(7, files))
    assert report is not None
    report.write_text(REPORT)
    evidence.write()
    made = (tmp_path / "page.md").read_text()
    begun = "### Runs that are cut\n\n`tests/faults/test_"
    assert f"{begun}killed.py`, **failed: no report**\n\n{begun}well.py`, 2 min" in made


def test_only_files_of_tests_have_reports_on_the_page() -> None:
    """Those of unit and lint, which are run by the folder, are no evidence of a campaign."""
    assert evidence.kept("tests/lint", {evidence.CAMPAIGN: "1"}) is None
    assert evidence.kept("tests/a.py", {}) is None
    assert evidence.kept("tests/a.py", {evidence.CAMPAIGN: "1"}) is not None
