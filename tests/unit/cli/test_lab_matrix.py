"""The comparison of one site on both kinds of lab."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from clup import lab
from clup.cli.lab import command
from clup.cli.lab_matrix import Row, counted, only, operations

GOOD = Row("vm", 40.0, 200.0, 51, 10.0, 0, 155, 0, 0, 45.0, 155, 0)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (GOOD, True),
        (replace(GOOD, untestable=4), True),
        (replace(GOOD, again_changed=1), False),
        (replace(GOOD, failed=1), False),
        (replace(GOOD, after_reboot_failed=1), False),
    ],
)
def test_a_kind_does_well_when_nothing_is_left_to_do(row: Row, expected: bool) -> None:
    assert row.is_well is expected


def test_what_only_one_kind_did_is_named() -> None:
    did = {"container": {"base: A", "base: B"}, "vm": {"base: B", "base: D", "base: C"}}
    assert only(did) == {"container": ["base: A"], "vm": ["base: C", "base: D"]}
    assert only({"vm": {"base: A"}}) == {}


def test_documents_are_counted() -> None:
    document = {
        "hosts": {
            "lab-a": {
                "operations": [
                    {"role": "base", "name": "A", "status": "changed"},
                    {"role": "base", "name": "B", "status": "unchanged"},
                ],
                "checks": {"base": [{"status": "passed"}, {"status": "passed"}], "x": []},
            }
        }
    }
    assert operations(document, "changed") == {"base: A"}
    assert counted(document) == {"passed": 2}


class Site:
    """Stands for the labs and for the clup commands that are run on them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.labs: list[str] = []
        self.applied: set[str] = set()
        self.broken: set[str] = set()
        self.check = "passed"
        for word in ("up", "reboot", "down"):
            monkeypatch.setattr(lab, word, getattr(self, word))
        monkeypatch.setattr(lab, "seen", lambda: [])
        monkeypatch.setattr(subprocess, "run", self.run)

    def up(self, name: str, kind: str, **_: object) -> None:
        self.labs.append(name)

    def reboot(self, name: str, _say: object) -> None:
        assert name in self.labs

    def down(self, name: str, _say: object) -> None:
        self.labs.remove(name)

    def run(
        self, argv: list[str], env: Mapping[str, str], **_: object
    ) -> subprocess.CompletedProcess[str]:
        """Answer as a clup command does: an apply changes what that lab was not told before."""
        name, word = env["CLUP_LAB"], argv[argv.index("clup") + 1]
        if word in self.broken:
            return subprocess.CompletedProcess(argv, 1, "{}", "first\nclup: no room\n")
        status = "unchanged" if name in self.applied else "changed"
        host: dict[str, Any] = {"checks": {"base": [{"status": self.check}]}}
        if word == "apply":
            host = {"operations": [{"role": "base", "name": f"on {name}", "status": status}]}
            self.applied.add(name)
        return subprocess.CompletedProcess(argv, 0, json.dumps({"hosts": {f"lab-{name}": host}}))


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    return Site(monkeypatch)


@pytest.mark.parametrize(("check", "code"), [("passed", 0), ("failed", 2)])
def test_the_document_has_a_row_for_each_kind(site: Site, check: str, code: int) -> None:
    site.check = check
    result = CliRunner().invoke(command, ["matrix", "--json"])
    answer = json.loads(result.stdout)
    assert result.exit_code == answer["exit"] == code
    rows = {row["kind"]: (row["changed"], row["again_changed"]) for row in answer["matrix"]}
    assert rows == {"container": (1, 0), "vm": (1, 0)}
    assert answer["only"] == {kind: [f"base: on matrix-{kind}"] for kind in rows}
    assert site.labs == []


def test_for_people_it_is_a_table(site: Site) -> None:
    result = CliRunner().invoke(command, ["matrix", "--kind", "vm"])
    assert result.exit_code == 0
    assert "again changed" in result.stdout


@pytest.mark.parametrize(
    ("options", "left", "cure"),
    [
        ([], [], "`clup lab matrix --kind vm --keep` leaves that lab up, and then `CLUP_LAB="),
        (["--keep"], ["matrix-vm"], "no room; `CLUP_LAB=matrix-vm clup apply"),
    ],
)
def test_a_failure_is_a_document_whose_cure_can_be_typed(
    site: Site, options: list[str], left: list[str], cure: str
) -> None:
    site.broken = {"apply"}
    result = CliRunner().invoke(command, ["matrix", "--kind", "vm", "--json", *options])
    answer = json.loads(result.stdout)
    assert result.exit_code == answer["exit"] == 1
    assert answer["error"].startswith("At clup apply on lab matrix-vm: clup: no room; ")
    assert cure in answer["error"]
    assert site.labs == left
