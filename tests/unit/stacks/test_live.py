"""What is wrong with the containers that run of a stack, and what a waiver lifts of it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from clup.compose.waiver import Waiver
from clup.facts.stacks import StacksState
from clup.stacks.judged import Judged, judged
from clup.stacks.live import unexpected
from tests.unit.compose.clean import CONTAINER, changed
from tests.unit.stacks.examples import IMAGE, TEMPLATE, spec

TODAY = datetime.date.today()
CHOWN = {"value": "CHOWN"}


def stack(folder: Path, **waived: Any) -> Judged:
    """Return the stack `runner`, whose file adds the capability CHOWN by a waiver."""
    said: dict[str, Any] = {
        "rule": "added-capabilities",
        "service": "web",
        "reason": "its image changes an owner",
        "owner": "psy",
        "expires": TODAY,
    }
    values = {"name": "runner", "image": IMAGE}
    made = spec(folder, name="runner", values=values, waivers=(Waiver(**said | waived),))
    added = TEMPLATE.replace("container_name: web", "container_name: web\n    cap_add: [CHOWN]")
    (folder / "web.j2").write_text(added)
    return judged(made)


@pytest.mark.parametrize(
    ("waived", "capability", "rules"),
    [
        ({}, "CAP_CHOWN", []),
        ({}, "CAP_SYS_ADMIN", []),
        (CHOWN, "CAP_CHOWN", []),
        (CHOWN, "CAP_SYS_ADMIN", ["added-capabilities"]),
    ],
)
def test_a_waiver_lifts_of_what_runs_what_it_lifts_of_the_file(
    tmp_path: Path, waived: dict[str, str], capability: str, rules: list[str]
) -> None:
    inspected = changed(CONTAINER, "HostConfig", "CapAdd", [capability])
    state = StacksState(docker=True, inspected=(inspected,))
    found = [finding.rule for finding in unexpected(stack(tmp_path, **waived), state)]
    assert found == rules
