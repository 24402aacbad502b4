"""A further socket of Docker's, for one account: a unit of systemd that passes it to the daemon."""

from __future__ import annotations

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.command import script
from clup.facts.paths import Paths
from clup.facts.units import Units
from clup.operations.files import File, configured, owned
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
def offered(
    unit: str,
    file: File,
    socket: str,
    owner: tuple[str, str, str],
    pending: str,
    among: tuple[str, ...],
) -> Steps:
    """Have Docker listen on the socket of a unit, whose `file` this is, too.

    `owner` is the user, group and octal mode that the unit gives the `socket`. `pending` is the
    marker of a restart that is still to be done, `among` as in `files.configured`; the socket's
    path is in it.
    """
    states = host.get_fact(Units, names=(unit,))
    if masked := refusals_of_masked((unit,), states):
        yield from masked
        return
    because = "" if is_up(states.get(unit), enabled=True) else f"{unit} does not listen"
    state = host.get_fact(Paths, paths=among)[socket]
    if not because and not owned(state, *owner):
        found = f"{state.user}:{state.group} {state.mode}" if state else "gone"
        because = f"{socket} is {found}, not {owner[0]}:{owner[1]} {owner[2]}"
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
        yield ensure(unit, lambda: _wrong(unit, socket, owner))


def _wrong(unit: str, socket: str, owner: tuple[str, str, str]) -> str | None:
    state = host.get_fact(Units, names=(unit,)).get(unit)
    if not is_up(state, enabled=True):
        return f"is {state} after Docker was restarted"
    there = host.get_fact(Paths, paths=(socket,))[socket]
    return None if owned(there, *owner) else f"made {socket} as {there}"
