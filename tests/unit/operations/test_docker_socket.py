"""A further socket of Docker's: when Docker is restarted for it, and when not."""

from __future__ import annotations

from typing import Any

import pytest

from clup.facts.paths import Paths, PathState, Text
from clup.facts.units import Units, UnitState
from clup.operations.docker_socket import offered
from clup.operations.files import File, marker
from tests.unit.operations.planning import evaluate

UNIT = "guard.socket"
FILE = File(f"/etc/systemd/system/{UNIT}", "[Socket]\n")
OWED = marker("guard")
SOCKET = "/run/guard/api.sock"
CLOSED = PathState("socket", "0660", "root", "guard")
GIVEN: dict[str, Any] = {
    "unit": UNIT,
    "file": FILE,
    "socket": SOCKET,
    "owner": ("root", "guard", "0660"),
    "pending": "guard",
    "among": (FILE.path, OWED, SOCKET),
}
WRITTEN = PathState("file", "0644", "root", "root", sha256=FILE.sha256)
LISTENS = UnitState("loaded", "active", "enabled")


@pytest.mark.parametrize(
    ("file", "unit", "owed", "socket", "restarts"),
    [
        (WRITTEN, LISTENS, None, CLOSED, False),
        (None, UnitState("not-found", "inactive", ""), None, None, True),
        (WRITTEN, UnitState("loaded", "inactive", "enabled"), None, CLOSED, True),
        (WRITTEN, UnitState("loaded", "active", "disabled"), None, CLOSED, True),
        (WRITTEN, LISTENS, PathState("file", "0600", "root", "root"), CLOSED, True),
        (WRITTEN, LISTENS, None, PathState("socket", "0666", "root", "guard"), True),
        (WRITTEN, LISTENS, None, PathState("socket", "0660", "root", "docker"), True),
        (WRITTEN, LISTENS, None, None, True),
    ],
)
def test_docker_is_restarted_only_for_a_socket_that_it_lacks(
    file: PathState | None,
    unit: UnitState,
    owed: PathState | None,
    socket: PathState | None,
    restarts: bool,
) -> None:
    facts = {Units: {UNIT: unit}, Paths: {FILE.path: file, OWED: owed, SOCKET: socket}, Text: None}
    steps, notes = evaluate(offered, facts, **GIVEN)
    assert any("stop -- docker.socket docker.service" in step for step in steps) == restarts
    assert ("Docker is restarted" in str(notes)) == restarts


def test_a_masked_one_is_refused() -> None:
    facts = {Units: {UNIT: UnitState("masked", "inactive", "masked")}}
    steps, notes = evaluate(offered, facts, **GIVEN)
    assert steps == ["check"]
    assert "is masked" in str(notes)
