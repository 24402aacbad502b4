"""The machine itself, from its package manager to its front door."""

from __future__ import annotations

from pyinfra.context import host

from clup.command import sh
from clup.facts.machine import Machine
from clup.facts.paths import Paths
from clup.operations.files import configured, directory, marker
from clup.operations.identity import named, speaking, zoned
from clup.operations.kernel import tuned
from clup.operations.packages import installed
from clup.operations.sshd import allowing
from clup.operations.systemd import service
from roles.base import config
from roles.base.settings import Settings

JOURNALD = "base-journald"
CHRONY = "base-chrony"

FOLDERS = {"/var/lib/clup": "0700", config.JOURNALD: "0755"}
"""Folders that this role makes, with their modes: clup's own on the machine, and journald's."""

PATHS = (
    *FOLDERS,
    config.APT,
    "/etc/hostname",
    "/etc/hosts",
    "/etc/default/locale",
    "/etc/locale.conf",
    config.CLOUD_INIT,
    f"{config.CLOUD_INIT}/99-clup.cfg",
    config.NEEDRESTART,
    f"{config.NEEDRESTART}/90-clup.conf",
    config.CHRONY,
    f"{config.JOURNALD}/50-clup.conf",
    config.SYSCTL,
    marker(JOURNALD),
    marker(CHRONY),
)
"""All that this role looks at, so that one command reads it."""


def converge(settings: Settings) -> None:
    """Converge the machine itself."""
    machine = host.get_fact(Machine)
    found = host.get_fact(Paths, paths=PATHS)

    for path, mode in FOLDERS.items():
        directory(name=f"Make {path}", path=path, user="root", group="root", mode=mode, among=PATHS)
    configured(
        name="Have apt wait for its lock and install only security updates by itself",
        files=[config.apt(settings.apt, machine)],
        among=PATHS,
    )
    if found[config.NEEDRESTART]:
        configured(
            name="Keep needrestart from asking questions",
            files=[config.needrestart()],
            among=PATHS,
        )
    installed(
        name="Install the packages of the machine itself",
        packages=config.packages(settings, machine),
    )
    if settings.apt.security_upgrades:
        service(name="Look for updates every day", unit="apt-daily.timer")
        service(name="Install security updates every day", unit="apt-daily-upgrade.timer")

    if found[config.CLOUD_INIT]:
        configured(
            name="Keep cloud-init from renaming the machine",
            files=[config.cloud_init()],
            among=PATHS,
        )
    if settings.hostname:
        named(name="Name the machine", hostname=settings.hostname, among=PATHS)
    zoned(name="Set the time zone", zone=settings.timezone)
    speaking(name="Set the language", locale=settings.locale, among=PATHS)

    # A container has its host's clock.
    if not machine.is_container:
        configured(
            name="Tell chrony whom to ask for the time",
            files=[config.chrony(settings.clock, machine)],
            then=[sh("systemctl", "restart", "chrony.service")],
            pending=CHRONY,
            among=PATHS,
        )
        service(name="Keep the clock right", unit="chrony.service")
    if machine.is_hyperv:
        for unit in config.hyperv_units(machine):
            service(name=f"Run {unit} for the Hyper-V host", unit=unit)

    configured(
        name="Limit the journal",
        files=[config.journald(settings.journal)],
        then=[sh("systemctl", "restart", "systemd-journald.service")],
        pending=JOURNALD,
        among=PATHS,
    )
    tuned(
        name="Set the kernel",
        path=config.SYSCTL,
        values=config.kernel(settings),
        live=not machine.is_container,
        among=PATHS,
    )
    allowing(name="Let only keys in through sshd", options=config.sshd(settings.ssh))
