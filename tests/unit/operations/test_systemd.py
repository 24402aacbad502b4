"""Services: what is started, what is left alone, and what somebody masked is refused."""

from __future__ import annotations

import pytest

from clup.facts.docker import Engine, EngineState, Wanted
from clup.facts.packages import DebVersions
from clup.facts.units import Units, UnitState
from clup.operations import docker
from clup.operations.systemd import service
from tests.unit.operations.planning import evaluate

UNIT = "chrony.service"
REFUSAL = (
    "{unit}: is masked, so that nothing can start it;"
    " see who masked it, then `systemctl unmask {option}{unit}` on the machine"
)


@pytest.mark.parametrize(
    ("state", "enabled", "starts", "refusals"),
    [
        (UnitState("loaded", "active", "enabled"), True, False, []),
        (UnitState("loaded", "active", "static"), True, False, []),
        (UnitState("loaded", "active", "disabled"), True, True, []),
        (UnitState("loaded", "active", "disabled"), False, False, []),
        (UnitState("loaded", "failed", "enabled"), True, True, []),
        (UnitState("not-found", "inactive", ""), True, True, []),
        (None, True, True, []),
        (
            UnitState("masked", "inactive", "masked"),
            False,
            False,
            [REFUSAL.format(unit=UNIT, option="")],
        ),
        # It runs on until the next boot, and does not come back then.
        (
            UnitState("masked", "active", "masked"),
            True,
            False,
            [REFUSAL.format(unit=UNIT, option="")],
        ),
        (
            UnitState("masked", "inactive", "masked-runtime"),
            True,
            False,
            [REFUSAL.format(unit=UNIT, option="--runtime ")],
        ),
    ],
)
def test_a_service_is_started_unless_it_is_masked(
    state: UnitState | None, enabled: bool, starts: bool, refusals: list[str]
) -> None:
    units = {} if state is None else {UNIT: state}
    steps, notes = evaluate(service, {Units: units}, unit=UNIT, enabled=enabled)
    assert any("systemctl start" in step for step in steps) is starts
    assert notes.refusals == refusals


@pytest.mark.parametrize("versions", [{}, {"docker.io": "26.1"}], ids=["bare", "installed"])
def test_a_masked_engine_is_refused_before_anything_is_installed(versions: dict[str, str]) -> None:
    """`plan` sees no further than an operation's first step."""
    units = dict.fromkeys(docker.UNITS, UnitState("masked", "inactive", "masked"))
    wanted = Wanted("/srv/cache/docker", "/srv/cache/containerd", True, "local")
    facts = {
        Units: units,
        DebVersions: versions,
        Engine: EngineState(("debian", "13"), None, None, {}),
    }
    steps, notes = evaluate(
        docker.running, facts, packages=["docker.io"], mount="/srv/cache", wanted=wanted
    )
    assert steps == ["check", "check"]
    assert notes.refusals == [REFUSAL.format(unit=unit, option="") for unit in docker.UNITS]
