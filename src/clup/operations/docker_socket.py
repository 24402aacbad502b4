"""A further socket of Docker's, for one account: a unit of systemd that passes it to the daemon."""

from __future__ import annotations

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.command import script
from clup.facts.units import Units
from clup.operations.files import File, configured
from clup.operations.steps import Steps, ensure
from clup.operations.systemd import LAST_WORDS, is_up, refusals_of_masked

# systemd passes a service its sockets when it starts it, and starts no socket whose service runs.
# $1 the socket's unit.
_OFFER = f"""set -e
{LAST_WORDS}
systemctl --quiet --no-reload enable -- "$1"
systemctl daemon-reload
timeout 180 systemctl stop -- docker.socket docker.service "$1"
systemctl reset-failed -- "$1" docker.socket docker.service 2>/dev/null || :
why=$(timeout 180 systemctl start -- "$1" docker.socket docker.service 2>&1) && exit 0
echo "Docker did not come back with $1: ${{why:-no end after 180 s}};" \\
  "it said last: $(last_words docker.service)" >&2
exit 1
"""


@operation()
def offered(unit: str, file: File, pending: str, among: tuple[str, ...] = ()) -> Steps:
    """Have Docker listen on the socket of a unit, whose `file` this is, too.

    `pending` is the marker of a restart that is still to be done, `among` as in
    `files.configured`.
    """
    states = host.get_fact(Units, names=(unit,))
    if masked := refusals_of_masked((unit,), states):
        yield from masked
        return
    because = "" if is_up(states.get(unit), enabled=True) else f"{unit} does not listen"
    then = [script(_OFFER, unit, timeout=600)]
    changed = False
    for step in configured._inner(
        files=[file], then=then, pending=pending, because=because, among=among
    ):
        if not changed:
            report.evidence("Docker is restarted; with live-restore, its containers go on")
        changed = True
        yield step
    if changed:
        yield ensure(unit, lambda: _wrong(unit))


def _wrong(unit: str) -> str | None:
    state = host.get_fact(Units, names=(unit,)).get(unit)
    return None if is_up(state, enabled=True) else f"is {state} after Docker was restarted"
