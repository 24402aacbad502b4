"""Read the machine's own name, time, packages, journal, kernel and sshd, as they are in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from clup.checks import APPLY, Result, expect, lines, read, untestable
from clup.facts.identity import Identity, IdentityState
from clup.facts.kernel import Sysctls
from clup.facts.machine import Machine, MachineState
from clup.facts.packages import DebVersions
from clup.facts.paths import Paths, PathState
from clup.facts.sshd import Sshd
from clup.facts.units import Units
from clup.operations import kernel
from clup.operations.files import File
from clup.operations.identity import ZONES, is_compiled, with_name
from clup.operations.packages import is_installed
from clup.operations.sshd import DROPIN, differing, rendered
from clup.operations.systemd import is_masked, is_up, unmask
from roles.base import config
from roles.base.settings import Settings
from roles.base.tasks import FOLDERS, PATHS

if TYPE_CHECKING:
    from testinfra.host import Host

# journald says at each start how much it may use (SD_MESSAGE_JOURNAL_USAGE of sd-messages.h).
_JOURNAL_USAGE = (
    "journalctl -q -n 1 -o cat --output-fields=MAX_USE JOURNAL_NAME='System Journal'"
    " MESSAGE_ID=ec387f577b844b8fa948f33cad9a75e6"
)

SETTLING = 300
"""Seconds that chrony may take to choose whom to believe."""


def checks(host: Host, settings: Settings) -> Iterator[Result]:
    """Compare the machine itself with the settings of this role."""
    machine = read(host, Machine)
    states = read(host, Paths, PATHS)
    identity = read(host, Identity)
    yield from _files(states, settings, machine)
    yield from _owners(states, (identity.language_file, "/etc/hostname", "/etc/hosts"))
    yield from _identity(identity, settings)
    yield from _packages(host, settings, machine)
    yield from _apt(host, settings, machine)
    yield from _services(host, settings, machine)
    yield from _clock(host, machine)
    yield from _journal(host, settings)
    yield from _kernel(host, settings, machine)
    yield from _sshd(host, settings)


def _files(
    states: dict[str, PathState | None], settings: Settings, machine: MachineState
) -> Iterator[Result]:
    for path, mode in FOLDERS.items():
        state = states[path]
        found = f"{state.kind} {state.mode} {state.user}:{state.group}" if state else "nothing"
        yield expect(
            f"base: {path} is {mode} root:root", f"directory {mode} root:root", found, APPLY
        )
    files = [
        config.apt(settings.apt, machine),
        config.journald(settings.journal),
        File(config.SYSCTL, kernel.rendered(config.kernel(settings))),
    ]
    files += [config.cloud_init()] if states[config.CLOUD_INIT] else []
    files += [config.needrestart()] if states[config.NEEDRESTART] else []
    files += [] if machine.is_container else [config.chrony(settings.clock, machine)]
    for file in files:
        yield expect(f"base: {file.path} is clup's", "as written", _state_of(file, states), APPLY)


def _owners(states: dict[str, PathState | None], paths: Iterable[str]) -> Iterator[Result]:
    for path in paths:
        state = states[path]
        found = f"{state.mode} {state.user}:{state.group}" if state else "nothing there"
        yield expect(f"base: {path} is 0644 root:root", "0644 root:root", found, APPLY)


def _state_of(file: File, states: dict[str, PathState | None]) -> str:
    state = states[file.path]
    if state is None:
        return "nothing there"
    if file.is_converged(state):
        return "as written"
    if file.is_written(state):
        return f"{state.mode} {state.user}:{state.group}"
    return "other content"


def _identity(found: IdentityState, settings: Settings) -> Iterator[Result]:
    if name := settings.hostname:
        yield expect(f"base: the running host name is {name}", name, found.hostname, APPLY)
        yield expect(
            f"base: the host name after a reboot is {name}",
            name,
            found.hostname_file.strip(),
            APPLY,
        )
        listed = with_name(found.hosts, name, name) == found.hosts
        yield expect(f"base: /etc/hosts has {name} at 127.0.1.1", True, listed, APPLY)
    zone = settings.timezone
    yield expect(f"base: the time zone is {zone}", f"{ZONES}/{zone}", found.localtime, APPLY)
    if found.timezone:
        yield expect(f"base: /etc/timezone is {zone}", zone, found.timezone.strip(), APPLY)
    languages = [line for line in found.language.splitlines() if line.startswith("LANG=")]
    yield expect(
        f"base: the language is {settings.locale}", [f"LANG={settings.locale}"], languages, APPLY
    )
    compiled = is_compiled(settings.locale, found)
    yield expect(f"base: the locale {settings.locale} can be used", True, compiled, APPLY)


def _packages(host: Host, settings: Settings, machine: MachineState) -> Iterator[Result]:
    names = config.packages(settings, machine)
    found = read(host, DebVersions, tuple(name.partition("=")[0] for name in names))
    for name in names:
        yield expect(f"base: package {name} is installed", True, is_installed(name, found), APPLY)


def _apt(host: Host, settings: Settings, machine: MachineState) -> Iterator[Result]:
    """apt-config prints what all of its files amount to, a line for each value."""
    found = lines(host, "apt-config dump")
    daily = "1" if settings.apt.security_upgrades else "0"
    reboot = "true" if settings.apt.reboot_at else "false"
    for key, value in (
        ("DPkg::Lock::Timeout", str(settings.apt.lock_timeout_s)),
        ("APT::Periodic::Update-Package-Lists", daily),
        ("APT::Periodic::Unattended-Upgrade", daily),
        ("Unattended-Upgrade::Automatic-Reboot", reboot),
    ):
        yield expect(f"base: apt has {key} {value}", [value], apt_values(found, key), APPLY)
    origins = [
        *apt_values(found, "Unattended-Upgrade::Origins-Pattern::"),
        *apt_values(found, "Unattended-Upgrade::Allowed-Origins::"),
    ]
    wanted = list(config.SECURITY[machine.system])
    yield expect("base: only security updates install themselves", wanted, origins, APPLY)


def apt_values(dump: Iterable[str], key: str) -> list[str]:
    """Given the lines of `apt-config dump`, return the values of a key; a list's ends in "::"."""
    start = f'{key} "'
    return [line[len(start) : -2] for line in dump if line.startswith(start)]


def _services(host: Host, settings: Settings, machine: MachineState) -> Iterator[Result]:
    units = ["apt-daily.timer", "apt-daily-upgrade.timer"] if settings.apt.security_upgrades else []
    units += [] if machine.is_container else ["chrony.service"]
    units += config.hyperv_units(machine) if machine.is_hyperv else []
    found = read(host, Units, tuple(units)) if units else {}
    for unit in units:
        state = found.get(unit)
        shown = f"{state.active}, {state.enabled}" if state else "not there"
        found_up = "up" if is_up(state, enabled=True) else shown
        cure = unmask(unit, state.enabled) if state and is_masked(state.enabled) else APPLY
        yield expect(f"base: {unit} runs, also after a reboot", "up", found_up, cure)


def _clock(host: Host, machine: MachineState) -> Iterator[Result]:
    what = "base: the clock follows a source of time"
    if machine.is_container:
        yield untestable(what, "a container has its host's clock")
        return
    age, tracking = lines(
        host,
        "read up _ </proc/uptime; "
        "start=$(systemctl show -P ActiveEnterTimestampMonotonic chrony.service); "
        "echo $(( ${up%%.*} - start / 1000000 )); chronyc -c tracking 2>&1 | tail -n 1",
    )
    yield followed(what, int(age), tracking)


def followed(what: str, age: int, tracking: str) -> Result:
    """Given chrony's age in seconds and the line of `chronyc -c tracking`, return the result."""
    found = tracking.rpartition(",")[2]
    if found == "Not synchronised" and age < SETTLING:
        return untestable(what, f"chrony began {age} s ago and still chooses its source")
    good = "Normal" if found in ("Normal", "Insert second", "Delete second") else found
    return expect(what, "Normal", good, "see `chronyc sources -v` there")


def _journal(host: Host, settings: Settings) -> Iterator[Result]:
    found = last_values(lines(host, "systemd-analyze cat-config systemd/journald.conf"))
    for key, value in config.journal_limits(settings.journal).items():
        cure = "see `systemd-analyze cat-config systemd/journald.conf` there"
        yield expect(f"base: journald has {key}={value}", value, found.get(key, "unset"), cure)
    what = f"base: the running journald keeps at most {settings.journal.max_use_mib} MiB"
    usage = lines(host, _JOURNAL_USAGE)
    if not usage:
        yield untestable(what, "journald's own line about it has already left the journal")
        return
    cure = "systemctl restart systemd-journald"
    yield expect(what, settings.journal.max_use_mib, int(usage[0]) >> 20, cure)


def last_values(text: Iterable[str]) -> dict[str, str]:
    """Given lines `KEY=VALUE` of several files in order, return the last value of each key."""
    pairs = (line.partition("=") for line in text if not line.lstrip().startswith(("#", ";")))
    return {key.strip().lstrip("-"): value.strip() for key, equals, value in pairs if equals}


def _kernel(host: Host, settings: Settings, machine: MachineState) -> Iterator[Result]:
    wanted = config.kernel(settings)
    at_boot = last_values(lines(host, "systemd-analyze cat-config sysctl.d"))
    live = {} if machine.is_container else read(host, Sysctls, tuple(wanted))
    for name, value in wanted.items():
        cure = "see `systemd-analyze cat-config sysctl.d` there"
        words = " ".join(at_boot.get(name, "unset").split())
        yield expect(f"base: {name} is {value} from the next boot on", value, words, cure)
        what = f"base: {name} is {value}"
        if machine.is_container:
            yield untestable(what, "a container has its host's kernel")
        else:
            yield expect(what, value, live[name], APPLY)


def _sshd(host: Host, settings: Settings) -> Iterator[Result]:
    found = read(host, Sshd, DROPIN)
    options = config.sshd(settings.ssh)
    yield expect("base: sshd accepts its files", "", found.error, "`sshd -t` there says more")
    ours = (rendered(options), "root:root 644") == (found.content, found.owner)
    yield expect(f"base: {DROPIN} is clup's", True, ours, APPLY)
    for keyword, values in options.items():
        wrong = differing({keyword: values}, found)
        what = f"base: sshd has {keyword} {' '.join(values)}"
        yield expect(what, [], wrong, f"`grep -ri {keyword} /etc/ssh` there shows where")
    yield expect("base: the running sshd has read its files", None, found.newer, APPLY)
    yield expect("base: no change to sshd waits for its proof", False, found.armed, APPLY)
