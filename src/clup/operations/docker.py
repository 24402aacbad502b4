"""The container engine: configured, installed and running, with its data in place.

The configuration is written before the package comes, because the package starts the daemon at
once. What is judged in the end is what the running daemons say of themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import daemon_files, report
from clup.command import script
from clup.daemon_files import CONTAINERD_TOML, DAEMON_JSON, UnreadableError
from clup.facts.docker import Engine, Wanted
from clup.facts.units import Units
from clup.operations import files
from clup.operations.packages import installed
from clup.operations.steps import Steps, ensure, refuse
from clup.operations.systemd import LAST_WORDS, is_up, refusals_of_masked, service

PENDING = "engine"
"""The marker of a restart that is still to be done."""

UNITS = ("containerd.service", "docker.service")

# Judged by the daemon itself where it is there already; --validate came with Docker 23.
_DAEMON_ACCEPTS = """
if command -v dockerd >/dev/null && dockerd --help 2>&1 | grep -q -- --validate
then
  said=$(dockerd --validate --config-file "$candidate" 2>&1) || {
    why=${said#*"$candidate": }
    echo "/etc/docker/daemon.json would not do: $why; mend it, then apply again" >&2
    exit 1
  }
fi
"""
_CONTAINERD_ACCEPTS = """
if command -v containerd >/dev/null
then containerd --config "$candidate" config dump >/dev/null; fi
"""

# A reload takes live-restore over, so that containers that were started without it go on while
# the daemon restarts. What does not run is left to be started later; three restarts within a
# minute are systemd's limit, hence the reset. $1: live restore, true or false.
_RESTART = f"""set -e
{LAST_WORDS}
active() {{ [ "$(systemctl is-active "$1" 2>/dev/null)" = active ]; }}
restart() {{
  systemctl reset-failed -- "$1"
  timeout 180 systemctl restart -- "$1" 2>/dev/null && return
  echo "$1 did not come back; it said last: $(last_words "$1")" >&2
  exit 1
}}
systemctl daemon-reload
if active docker.service; then
  systemctl reload docker.service
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(timeout 10 docker info --format '{{{{.LiveRestoreEnabled}}}}' 2>&1)" != "$1" ] || break
    sleep 0.3
  done
fi
if active containerd.service; then restart containerd.service; fi
if active docker.service; then restart docker.service; fi
"""

_MOUNTED = """mountpoint -q -- "$1" && exit
echo "$1 is not a mount point, and the engine's data belongs there; mount it, then apply again" >&2
exit 1
"""


@operation()
def configured(
    daemon: Mapping[str, Any],
    wanted: Wanted,
    beside: Sequence[files.File] = (),
    among: tuple[str, ...] = (),
) -> Steps:
    """Converge daemon.json, containerd's config.toml and the files `beside` them, such as drop-ins.

    Keys of the two that are not asked for stay as they are. The daemons that run are restarted
    after a change, and also when they differ from what their files say.
    """
    found = host.get_fact(Engine)
    try:
        converged = [
            *beside,
            files.File(
                DAEMON_JSON,
                daemon_files.daemon_json(found.files.get(DAEMON_JSON), daemon),
                validate=_DAEMON_ACCEPTS,
                edited=True,
            ),
            files.File(
                CONTAINERD_TOML,
                daemon_files.containerd_toml(
                    found.files.get(CONTAINERD_TOML), wanted.containerd_root
                ),
                validate=_CONTAINERD_ACCEPTS,
                edited=True,
            ),
        ]
    except UnreadableError as error:
        yield refuse(error.path, error.reason, "mend it or move it away, then apply again")
        return
    differ = "; ".join(wanted.differences(found))
    restart = script(_RESTART, str(wanted.live_restore).lower(), timeout=600)
    changed = False
    for step in files.configured._inner(
        files=converged, then=[restart], pending=PENDING, because=differ, among=among
    ):
        changed = True
        yield step
    if changed:
        yield ensure("the running engine", lambda: _differs(wanted))


@operation()
def running(packages: Sequence[str], mount: str, wanted: Wanted, refresh: bool = False) -> Steps:
    """Have the packages installed and their daemons run, with their data below `mount`.

    One operation, because installing starts the daemons: two would be changed by turns.
    """
    states = host.get_fact(Units, names=UNITS)
    if masked := refusals_of_masked(UNITS, states):
        yield from masked
        return
    changed = False
    for step in _installed_and_up(packages, refresh):
        if not changed:
            yield script(_MOUNTED, mount)
        changed = True
        yield step
    if changed:
        yield ensure("the running engine", lambda: _differs(wanted, must_run=True))


def _installed_and_up(packages: Sequence[str], refresh: bool) -> Steps:
    yield from installed._inner(packages=packages, refresh=refresh)
    states = host.get_fact(Units, names=UNITS)
    for unit in UNITS:
        if not is_up(states.get(unit), enabled=True):
            yield from service._inner(unit=unit)


def _differs(wanted: Wanted, must_run: bool = False) -> str | None:
    found = host.get_fact(Engine)
    if must_run and found.info is None:
        return "Docker does not answer; `journalctl -u docker` on the machine says why"
    if must_run and found.containerd_root is None:
        return "containerd does not run; `journalctl -u containerd` on the machine says why"
    differ = wanted.differences(found)
    if differ:
        report.evidence("; ".join(differ))
    return "; ".join(differ) or None
