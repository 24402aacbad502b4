"""Services of the machine's systemd."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyinfra.api.command import FunctionCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from clup.command import script
from clup.facts.units import Units, UnitState
from clup.operations.steps import Steps, ensure, refuse

# What a daemon said when it did not start is what the operator needs: the last lines of that run
# come along, without systemd's own about it.
# journald may be behind, and a unit that is restarted by itself has a new run by now: hence a few
# tries.
LAST_WORDS = """last_words() {
  for attempt in $(seq 30); do
    run=$(systemctl show -p InvocationID --value -- "$1")
    said=$(journalctl _SYSTEMD_INVOCATION_ID="$run" -n 3 --no-pager -q -o cat | paste -sd '|')
    if [ -n "$said" ]; then echo "$said"; return; fi
    sleep 0.3
  done
}
"""

# A unit that failed too often starts again only after a reset. One reload is for the unit's files
# and for its being enabled, which a unit that is loaded would not tell without it. $1 unit, $2
# "enable" or "".
_START = f"""{LAST_WORDS}
if [ "$2" = enable ]; then systemctl --quiet --no-reload enable -- "$1" || exit 1; fi
systemctl daemon-reload
systemctl reset-failed -- "$1" 2>/dev/null
why=$(timeout 180 systemctl start -- "$1" 2>&1) && exit 0
said=$(last_words "$1")
echo "$1 did not start: ${{said:-${{why:-no end after 180 s}}}};" \
  "'journalctl -u $1' on the machine tells more" >&2
exit 1
"""


@operation()
def service(unit: str, enabled: bool = True) -> Steps:
    """Have a unit, named with its suffix, run now and, when `enabled`, from every boot on."""
    states = host.get_fact(Units, names=(unit,))
    if is_up(states.get(unit), enabled):
        return
    if masked := refusals_of_masked((unit,), states):
        yield from masked
        return
    yield script(_START, unit, "enable" if enabled else "")
    yield ensure(unit, lambda: _wrong(unit, enabled))


def is_up(state: UnitState | None, enabled: bool) -> bool:
    """Whether a unit runs and, if that is asked for, starts at boot (a static one always may)."""
    if state is None or state.active != "active":
        return False
    return not enabled or state.enabled in ("enabled", "static", "alias", "generated", "indirect")


def refusals_of_masked(
    units: Iterable[str], states: Mapping[str, UnitState]
) -> list[FunctionCommand]:
    """Given units and their states, refuse each that somebody has kept from being started."""
    return [
        refuse(unit, "is masked, so that nothing can start it", unmask(unit, states[unit].enabled))
        for unit in units
        if unit in states and is_masked(states[unit].enabled)
    ]


def is_masked(unit_file_state: str) -> bool:
    """Given a UnitFileState of systemd, return whether that unit cannot be started."""
    return unit_file_state in ("masked", "masked-runtime")


def unmask(unit: str, unit_file_state: str) -> str:
    """Given a masked unit and its UnitFileState, return the cure."""
    runtime = "--runtime " if unit_file_state == "masked-runtime" else ""
    return f"see who masked it, then `systemctl unmask {runtime}{unit}` on the machine"


def _wrong(unit: str, enabled: bool) -> str | None:
    state = host.get_fact(Units, names=(unit,)).get(unit)
    return None if is_up(state, enabled) else f"is {state} after it was started"
