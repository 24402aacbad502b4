"""What the running engine says of itself, and what will hold at the next boot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from testinfra.host import Host

from clup.checks import APPLY, Result, expect, lines, read, without_list
from clup.daemon_files import (
    CONTAINERD_TOML,
    DAEMON_JSON,
    UnreadableError,
    keys_in_json,
    root_in_toml,
)
from clup.facts.docker import READ, EngineState, parsed
from clup.facts.firewall import Table
from clup.facts.units import Units
from clup.operations.files import stricter
from clup.operations.firewall import lacking
from clup.operations.systemd import is_masked, is_up, unmask
from roles.engine.files import (
    BLACKLIST,
    FOLDERS,
    KEYRING,
    PINS,
    SOURCES,
    drop_in_path,
    packages,
)
from roles.engine.neighbours import FAMILY, LINES, TABLE, UNIT, closes
from roles.engine.settings import CONTAINERD_HOME, Settings

SOCKET = "/run/docker.sock"

_UNREADABLE = "mend it or move it away, then `clup apply`"

# One line a thing. $1 is the mount point, $2 and $3 are the roots; then the number of package
# names, they, and paths. Docker bind-mounts its root onto itself, so devices are compared.
_READ_MACHINE = """LC_ALL=C; export LC_ALL
for root in "$2" "$3"; do
  if mountpoint -q -- "$1" && [ "$(stat -c %d -- "$root")" = "$(stat -c %d -- "$1")" ]
  then echo "mounted $root"; fi
done
shift 3; count=$1; shift
while [ "$count" -gt 0 ]; do
  dpkg-query -W -f 'package ${Package} ${db:Status-Status} ${Version}\\n' -- "$1" 2>/dev/null
  shift; count=$((count - 1))
done
stat -c 'path %n %U:%G %a' -- "$@" 2>/dev/null
ls -ld -- "$@" 2>/dev/null | sed -n 's/^..........+.* /acl /p'
for unit in containerd docker; do
  systemctl show "$unit.service" -p ActiveState -p UnitFileState -p RequiresMountsFor \\
    -p DropInPaths -p NeedDaemonReload | sed "s/^/unit $unit /"
  systemctl cat "$unit.service" 2>/dev/null | sed -n "s/^Assert/unit $unit Assert/p"
done
true
"""


@dataclass
class Machine:
    """What the second command read: each by its name, in the machine's own words."""

    mounted: set[str] = field(default_factory=set)
    packages: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    acls: set[str] = field(default_factory=set)
    units: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"docker": {}, "containerd": {}}
    )


def checks(host: Host, settings: Settings) -> Iterator[Result]:
    """Compare the running engine, its packages, units and files with the settings."""
    state = parsed(lines(host, "sh -c %s sh %s %s", READ, DAEMON_JSON, CONTAINERD_TOML))
    wanted = packages(settings, state.os)
    machine = _machine(host, settings, wanted)
    yield from _packages(wanted, machine)
    yield from _units(settings, machine)
    yield from _daemons(settings, state)
    yield from _places(settings, machine)
    yield from socket(machine)
    yield from _files(settings, state, machine)
    if closes(settings):
        yield from _neighbours(host)
    yield from _baseline(settings, state)


def _neighbours(host: Host) -> Iterator[Result]:
    what = "engine: neighbours do not reach what is published on this machine alone"
    listed: list[str] = read(host, Table, FAMILY, TABLE)
    yield expect(what, [], lacking(LINES, listed), APPLY)
    unit = read(host, Units, (UNIT,)).get(UNIT)
    yield expect(f"engine: {UNIT} loads these rules at boot", True, is_up(unit, True), APPLY)


def _machine(host: Host, settings: Settings, wanted: tuple[str, ...]) -> Machine:
    names = [package.partition("=")[0] for package in wanted]
    roots = (settings.requires_mount, settings.data_root, settings.containerd_root)
    words = [*roots, str(len(names)), *names, SOCKET, *_owned_paths(settings)]
    command = "sh -c %s sh" + " %s" * len(words)
    return machine_from(lines(host, command, _READ_MACHINE, *words))


def machine_from(output: list[str]) -> Machine:
    """Given the lines that the machine printed, return them by kind and name."""
    machine = Machine()
    for line in output:
        kind, name, *rest = line.split(" ", 2)
        value = rest[0] if rest else ""
        if kind == "mounted":
            machine.mounted.add(name)
        elif kind == "package":
            status, _, version = value.partition(" ")
            machine.packages[name] = version if status == "installed" else status
        elif kind == "path":
            machine.paths[name] = value
        elif kind == "acl":
            machine.acls.add(name)
        elif kind == "unit":
            key, _, said = value.partition("=")
            machine.units[name][key] = said
    return machine


def _packages(wanted: tuple[str, ...], machine: Machine) -> Iterator[Result]:
    cure = "set engine.source='docker' with engine.repository"
    yield expect("engine: this distribution has packages for it", True, bool(wanted), cure)
    for package in wanted:
        name, pinned, version = package.partition("=")
        found = machine.packages.get(name, "not installed")
        # A package of the distribution follows its suite: that it is there is what counts.
        if pinned:
            yield expect(f"engine: package {name} has version {version}", version, found, APPLY)
        else:
            there = found[:1].isdigit()
            yield expect(f"engine: package {name} is installed", True, there, APPLY)


def _units(settings: Settings, machine: Machine) -> Iterator[Result]:
    roots = {"docker": settings.data_root, "containerd": settings.containerd_root}
    for daemon, root in roots.items():
        unit = machine.units[daemon]
        name = f"{daemon}.service"
        yield expect(
            f"engine: {name} runs",
            "active",
            unit.get("ActiveState"),
            f"`journalctl -u {daemon}` on the machine says why",
        )
        at_boot = unit.get("UnitFileState", "")
        cure = unmask(name, at_boot) if is_masked(at_boot) else APPLY
        yield expect(f"engine: {name} starts at boot", "enabled", at_boot, cure)
        yield expect(
            f"engine: systemd has read the files of {name}",
            "no",
            unit.get("NeedDaemonReload"),
            "`systemctl daemon-reload` on the machine, then `clup apply`",
        )
        # Of a masked unit systemd reads no files.
        if root == CONTAINERD_HOME or is_masked(at_boot):
            continue
        yield expect(
            f"engine: {name} waits for the disk of {root}",
            True,
            root in unit.get("RequiresMountsFor", "").split(),
            APPLY,
        )
        yield expect(
            f"engine: {name} does not start unless {settings.requires_mount} is mounted",
            settings.requires_mount,
            unit.get("AssertPathIsMountPoint"),
            APPLY,
        )


def _daemons(settings: Settings, state: EngineState) -> Iterator[Result]:
    cure = "`journalctl -u docker` on the machine says why"
    yield expect("engine: the daemon answers", True, state.info is not None, cure)
    if state.info is None:
        return  # what it would say is unknown, and said to be so once
    info = state.info
    cure = "`clup apply` restarts a daemon that differs from its settings"
    for what, wanted, found in (
        ("engine: Docker's data root", settings.data_root, info.get("DockerRootDir")),
        ("engine: containerd's root", settings.containerd_root, state.containerd_root),
        (
            "engine: containers go on while Docker restarts (live restore)",
            settings.live_restore,
            info.get("LiveRestoreEnabled"),
        ),
        ("engine: the logging driver", settings.log.driver, info.get("LoggingDriver")),
        ("engine: Compose v2 is a plugin of the client", True, state.compose is not None),
        ("engine: the API is not open to the network", [], _open_ports(info)),
    ):
        yield expect(what, wanted, found, cure)


def _open_ports(info: dict[str, Any]) -> list[str]:
    warnings = info.get("Warnings") or []
    return [text for text in warnings if "API is accessible on" in text]


def _places(settings: Settings, machine: Machine) -> Iterator[Result]:
    for root in (settings.data_root, settings.containerd_root):
        if root == CONTAINERD_HOME:
            continue
        yield expect(
            f"engine: {root} lies on the filesystem of {settings.requires_mount}",
            True,
            root in machine.mounted,
            "mount that filesystem and move the data onto it",
        )


def socket(machine: Machine) -> Iterator[Result]:
    """Compare who may reach Docker by its own socket; fewer may, too. Its unit makes it anew at a
    start, and nothing mends it until then."""
    found = machine.paths.get(SOCKET, "absent")
    owner, _, has = found.partition(" ")
    mode = stricter(has, "660").removeprefix("0") if has else "660"
    wanted = f"{'root:root' if owner == 'root:root' else 'root:docker'} {mode}"
    cure = (
        f"`chown root:docker {SOCKET}; chmod 660 {SOCKET}` on the machine, or `systemctl restart"
        " docker.socket`, with which Docker restarts; if that is not it, see `systemctl cat"
        " docker.socket`"
    )
    yield expect(f"engine: {SOCKET} is {wanted}", wanted, found, cure)
    yield without_list("engine", SOCKET, SOCKET in machine.acls)


def _files(settings: Settings, state: EngineState, machine: Machine) -> Iterator[Result]:
    for path in _owned_paths(settings):
        found = machine.paths.get(path, "absent")
        mode = "755" if path in FOLDERS else "644"
        if path in (DAEMON_JSON, CONTAINERD_TOML) and found != "absent":
            mode = stricter(found.rpartition(" ")[2], mode).removeprefix("0")
        yield expect(f"engine: {path} is root:root {mode}", f"root:root {mode}", found, APPLY)
    yield from daemon_json(settings, state.files.get(DAEMON_JSON))
    yield from containerd_toml(settings, state.files.get(CONTAINERD_TOML))


def daemon_json(settings: Settings, text: str | None) -> Iterator[Result]:
    """Given the text of daemon.json or None, compare its keys; of one that is broken say that."""
    what = f"engine: {DAEMON_JSON} is JSON"
    try:
        daemon = keys_in_json(text)
    except UnreadableError as error:
        yield expect(what, "JSON", error.reason, _UNREADABLE)
        return
    yield expect(what, "JSON", "JSON", _UNREADABLE)
    options = daemon.get("log-opts") or {}
    for key, wanted, value in (
        ("data-root", settings.data_root, daemon.get("data-root")),
        ("live-restore", settings.live_restore, daemon.get("live-restore")),
        ("log-driver", settings.log.driver, daemon.get("log-driver")),
        ("log-opts max-size", settings.log.max_size, options.get("max-size")),
        ("log-opts max-file", str(settings.log.max_file), options.get("max-file")),
        *((key, value, daemon.get(key)) for key, value in settings.daemon.items()),
    ):
        yield expect(f"engine: {DAEMON_JSON} has {key} {wanted}", wanted, value, APPLY)


def containerd_toml(settings: Settings, text: str | None) -> Iterator[Result]:
    """Given the text of config.toml or None, compare its root; of one that is broken say that."""
    wanted, cure = settings.containerd_root, APPLY
    try:
        found = root_in_toml(text)
    except UnreadableError as error:
        found, cure = error.reason, _UNREADABLE
    yield expect(f"engine: {CONTAINERD_TOML} has root {wanted}", wanted, found, cure)


def _baseline(settings: Settings, state: EngineState) -> Iterator[Result]:
    expected, info = settings.expect, state.info or {}
    cure = "change the machine, or engine.expect"
    if expected.os is not None:
        yield expect(f"engine: baseline: os {expected.os}", expected.os, " ".join(state.os), cure)
    for what, wanted, found in (
        ("engine", expected.engine, info.get("ServerVersion") or ""),
        ("Compose", expected.compose, state.compose or ""),
    ):
        if wanted is not None:
            # Docker's own packages write v5.0.0, the distributions 2.26.1-4.
            begins = found.removeprefix("v").startswith(wanted.removeprefix("v"))
            what = f"engine: baseline: {what} {wanted}"
            yield expect(what, wanted, wanted if begins else found, cure)
    if expected.data_root is not None:
        what = f"engine: baseline: data root {expected.data_root}"
        yield expect(what, expected.data_root, info.get("DockerRootDir"), cure)


def _owned_paths(settings: Settings) -> list[str]:
    paths = [*FOLDERS, DAEMON_JSON, CONTAINERD_TOML, drop_in_path("docker")]
    if settings.containerd_root != CONTAINERD_HOME:
        paths.append(drop_in_path("containerd"))
    if settings.repository is not None:
        paths += [KEYRING, PINS, BLACKLIST, SOURCES]
    return paths
