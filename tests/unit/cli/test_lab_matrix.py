"""The comparison of one site on both kinds of lab."""

from dataclasses import replace

import pytest

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
