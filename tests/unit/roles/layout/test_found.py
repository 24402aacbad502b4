"""A machine's folders, said in settings that hold together."""

from __future__ import annotations

from typing import Any

import pytest

from clup.facts.paths import PathState
from clup.found import Found, Note, tree
from roles.layout.found import described
from roles.layout.settings import Settings
from tests.unit.roles.layout.invalid_settings import BASE

RUNNER = f"{BASE}/runner"


def folder(user: str, mode: str = "0755", group: str = "", kind: str = "directory") -> PathState:
    return PathState(kind, mode, user, group or user)


@pytest.mark.parametrize(
    ("states", "expected", "notes"),
    [
        ({}, {}, 0),
        ({BASE: folder("root")}, {}, 0),
        (
            {f"{BASE}/repo": folder("psy", "0775"), f"{BASE}/infra": folder("root", "0750", "adm")},
            {f"{BASE}/repo": {"mode": "0775"}, f"{BASE}/infra": {"group": "adm"}},
            0,
        ),
        # What lies in it and is not there, or is root's, is left out.
        (
            {
                RUNNER: folder("psy"),
                f"{RUNNER}/audit": folder("psy"),
                f"{RUNNER}/jobs": folder("root"),
            },
            {
                RUNNER: {"user": "psy"},
                f"{RUNNER}/audit": {"user": "psy", "group": None, "mode": "0755"},
                **dict.fromkeys(
                    f"{RUNNER}/{name}"
                    for name in ["compose", "jobs", "keys", "ledger", "reports", "state", "tokens"]
                ),
            },
            0,
        ),
        # A group that could exchange folders is mended.
        ({RUNNER: folder("root", "0775", "psy")}, {RUNNER: {"group": "psy"}}, 1),
        (
            {f"{BASE}/gw-admin": folder("UNKNOWN")},
            {f"{BASE}/gw-admin": None, f"{BASE}/gw-admin/config": None},
            1,
        ),
        ({f"{BASE}/repo": folder("psy", kind="link")}, {f"{BASE}/repo": None}, 1),
    ],
)
def test_what_differs_is_said_and_settings_take_it(
    states: dict[str, PathState | None], expected: dict[str, Any], notes: int
) -> None:
    said = list(described(states, Settings()))
    found = tree(each for each in said if isinstance(each, Found))
    assert found.get("folders", {}) == expected
    assert sum(isinstance(each, Note) for each in said) == notes
    Settings.model_validate(found)
