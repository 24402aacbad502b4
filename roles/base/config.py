"""The text of each configuration file of the machine itself, and where it lies.

Names are chosen so that ours win: apt and sysctl.d take the last value, sshd the first.
"""

from __future__ import annotations

from collections.abc import Mapping

from clup.facts.machine import MachineState
from clup.operations.files import File
from roles.base.settings import Apt, Clock, Journal, Settings, Ssh

CLOUD_INIT = "/etc/cloud/cloud.cfg.d"
NEEDRESTART = "/etc/needrestart/conf.d"
JOURNALD = "/etc/systemd/journald.conf.d"
SYSCTL = "/etc/sysctl.d/zz-clup.conf"
APT = "/etc/apt/apt.conf.d/90clup"
CHRONY = "/etc/chrony/conf.d/clup.conf"

BUILT_IN = ("C", "POSIX", "C.UTF-8")
"""Locales that the C library brings, for which no package is needed."""

SECURITY = {
    "debian": (
        "origin=Debian,codename=${distro_codename},label=Debian-Security",
        "origin=Debian,codename=${distro_codename}-security,label=Debian-Security",
    ),
    "ubuntu": (
        "origin=Ubuntu,archive=${distro_codename}-security",
        "origin=UbuntuESMApps,archive=${distro_codename}-apps-security",
        "origin=UbuntuESM,archive=${distro_codename}-infra-security",
    ),
}
"""What unattended-upgrades may install: the distribution's security updates. The package's own
configuration adds more (Debian: point releases), and third-party sources never belong to it."""


def packages(settings: Settings, machine: MachineState) -> tuple[str, ...]:
    """Return the packages that the machine needs: Python first, for the programs of later roles."""
    names = ["python3", "tzdata"]
    if settings.apt.security_upgrades:
        names.append("unattended-upgrades")
    if settings.locale not in BUILT_IN:
        names.append("locales")
    if not machine.is_container:
        names.append("chrony")
    if machine.is_hyperv:
        ubuntu = machine.system == "ubuntu"
        names.append("linux-cloud-tools-virtual" if ubuntu else "hyperv-daemons")
    return (*names, *settings.packages)


def apt(settings: Apt, machine: MachineState) -> File:
    """Return apt's configuration: waiting for its lock, and what it installs by itself."""
    daily = "1" if settings.security_upgrades else "0"
    reboot = "true" if settings.reboot_at else "false"
    return File(
        APT,
        "\n".join(
            [
                f'DPkg::Lock::Timeout "{settings.lock_timeout_s}";',
                f'APT::Periodic::Update-Package-Lists "{daily}";',
                f'APT::Periodic::Unattended-Upgrade "{daily}";',
                "#clear Unattended-Upgrade::Allowed-Origins;",
                "#clear Unattended-Upgrade::Origins-Pattern;",
                *(
                    f'Unattended-Upgrade::Origins-Pattern:: "{origin}";'
                    for origin in SECURITY[machine.system]
                ),
                f'Unattended-Upgrade::Automatic-Reboot "{reboot}";',
                f'Unattended-Upgrade::Automatic-Reboot-Time "{settings.reboot_at or "now"}";',
                "// What clup replaces is kept beside it; apt would remark on its name each time.",
                r'Dir::Ignore-Files-Silently:: "\.bak\.[0-9-]+$";',
                "",
            ]
        ),
        validate='apt-config -c "$candidate" dump >/dev/null',
    )


def cloud_init() -> File:
    """Return what keeps cloud-init from naming the machine anew at each boot."""
    return File(f"{CLOUD_INIT}/99-clup.cfg", "preserve_hostname: true\nmanage_etc_hosts: false\n")


def needrestart() -> File:
    """Return what keeps needrestart from asking questions while packages are installed."""
    return File(
        f"{NEEDRESTART}/90-clup.conf", "$nrconf{restart} = 'a';\n$nrconf{kernelhints} = 0;\n"
    )


def chrony(settings: Clock, machine: MachineState) -> File:
    """Return chrony's additions to the distribution's configuration."""
    lines = [f"server {server} iburst" for server in settings.servers]
    if machine.is_hyperv:
        # The host may sleep and resume: its own clock, which the guest can read, is ahead then.
        lines.append("refclock PHC /dev/ptp_hyperv poll 3 dpoll -2 offset 0")
    # A machine that was paused is wrong by hours, at whichever update after its start.
    lines.append("makestep 1 -1")
    return File(
        CHRONY,
        "".join(f"{line}\n" for line in lines),
        validate='chronyd -p -f "$candidate" >/dev/null',
    )


def journald(settings: Journal) -> File:
    """Return the limits of the journal."""
    return File(
        f"{JOURNALD}/50-clup.conf",
        "".join(f"{line}\n" for line in ("[Journal]", *_pairs(journal_limits(settings)))),
    )


def journal_limits(settings: Journal) -> dict[str, str]:
    """Return journald's keywords with their values (journald.conf(5))."""
    return {
        "Storage": "persistent",
        "SystemMaxUse": f"{settings.max_use_mib}M",
        "SystemKeepFree": f"{settings.keep_free_mib}M",
        "MaxRetentionSec": f"{settings.max_days}day",
    }


def kernel(settings: Settings) -> dict[str, str]:
    """Return the kernel's settings in the words in which it prints them."""
    return {name: str(value) for name, value in settings.sysctl.items()}


def sshd(settings: Ssh) -> dict[str, tuple[str, ...]]:
    """Return sshd's keywords with their values (sshd_config(5))."""
    options: dict[str, tuple[str, ...]] = {
        "PasswordAuthentication": ("yes" if settings.password_login else "no",),
        "KbdInteractiveAuthentication": ("no",),
        "PermitEmptyPasswords": ("no",),
        "PermitRootLogin": (settings.root_login,),
        "X11Forwarding": ("no",),
        "LoginGraceTime": ("30",),
        # An operator's machine that went away holds the machine's lock no longer than this.
        "ClientAliveInterval": ("30",),
        "ClientAliveCountMax": ("4",),
    }
    if settings.ports:
        options["Port"] = tuple(map(str, settings.ports))
    if settings.allow_users:
        options["AllowUsers"] = settings.allow_users
    return options


def hyperv_units(machine: MachineState) -> tuple[str, ...]:
    """Return the units of Hyper-V's guest daemons: data exchange, and backup of a running guest."""
    prefix = "" if machine.system == "ubuntu" else "hyperv-daemons."
    return (f"{prefix}hv-kvp-daemon.service", f"{prefix}hv-vss-daemon.service")


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" for key, value in values.items()]
