"""Settings of the machine itself. Each has a default that suits a server behind ssh keys."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from clup.fields import Name
from clup.settings import Model, fault, faults, nearest, over

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""One label of a host name, by RFC 1123."""

HOST = r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?$"
"""A host name or an address, as a server of time is written."""

LOCALE = re.compile(r"(C|[a-z]{2,3}_[A-Z]{2})\.UTF-8(@[a-z]+)?")

SYSCTL = re.compile(r"[a-z][a-z0-9_]*(\.[A-Za-z0-9_/-]+)+")

KERNEL: dict[str, int | str] = {
    "fs.inotify.max_user_instances": 1024,
    "fs.inotify.max_user_watches": 524288,
    "vm.swappiness": 10,
}
"""Kernel settings for many containers, each of which watches files, on a machine with a disk."""

BREAKS = {
    ("net.ipv4.ip_forward", "0"): ("cuts containers off the network", "leave it to Docker"),
    ("kernel.apparmor_restrict_unprivileged_userns", "0"): (
        "opens user namespaces to every program",
        "give the program that needs them an AppArmor profile",
    ),
}
"""Kernel settings with a value that harms the rest of the site: why, and what to do instead."""


class Apt(Model):
    """How apt behaves on the machine, for people too."""

    lock_timeout_s: int = Field(default=300, ge=10, le=3600)
    """Seconds that apt waits for another apt, such as the unattended upgrades after a boot."""
    security_upgrades: bool = True
    """Install the distribution's security updates every day, and nothing else by itself."""
    reboot_at: str | None = Field(default=None, examples=["04:30"])
    """Time of day to reboot at when a security update asks for it; None never reboots."""

    @field_validator("reboot_at")
    @classmethod
    def _is_time(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            raise fault("is no time of day", "write hours and minutes, such as '04:30'")
        return value


class Clock(Model):
    """Who tells the machine the time. In a container, the host of the container does."""

    servers: tuple[Annotated[str, Field(pattern=HOST)], ...] = ()
    """Servers of time to ask besides those that the distribution's chrony asks."""


class Journal(Model):
    """How much the journal keeps. The oldest goes first."""

    max_use_mib: int = Field(default=1024, ge=64, le=1 << 20)
    """Space that the journal may take, in MiB."""
    keep_free_mib: int = Field(default=1024, ge=64, le=1 << 20)
    """Space on that filesystem that the journal leaves free, in MiB."""
    max_days: int = Field(default=90, ge=1, le=3650)
    """Days after which an entry may go even when there is space."""


class Ssh(Model):
    """What sshd allows. A change is kept only when a second login succeeds after it."""

    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    """TCP ports to listen on; empty leaves the machine's. To move, list the old port and the
    new one, apply, change the inventory, then list the new one alone."""
    password_login: bool = False
    """Let accounts log in with a password."""
    root_login: Literal["no", "prohibit-password"] = "prohibit-password"
    """Whether root may log in, and then only with a key."""
    allow_users: tuple[Name, ...] = ()
    """The only accounts that may log in, the operator's among them; empty allows all."""

    @field_validator("ports", "allow_users")
    @classmethod
    def _has_no_twins(cls, value: tuple[object, ...]) -> tuple[object, ...]:
        if len(set(value)) < len(value):
            raise fault("names one twice", "name each once")
        return value


class Settings(Model):
    """The machine itself."""

    hostname: str | None = Field(default=None, examples=["claw-vm"])
    """Its name: one label without a domain. None leaves the name that it has."""
    timezone: str = Field(default="Etc/UTC", examples=["Europe/Berlin"])
    """Its time zone, by its name in the IANA database."""
    locale: str = Field(default="C.UTF-8", examples=["en_US.UTF-8"])
    """The language of its programs. C.UTF-8 is there without a package."""
    packages: tuple[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")], ...] = ()
    """Packages of the distribution to install besides those that clup itself needs."""
    apt: Apt = Apt()
    clock: Clock = Clock()
    journal: Journal = Journal()
    sysctl: Annotated[dict[str, int | str], over(KERNEL)] = KERNEL
    """Settings of the kernel by their dotted name, over the default ones; None leaves one out."""
    ssh: Ssh = Ssh()

    @field_validator("hostname")
    @classmethod
    def _is_label(cls, value: str | None) -> str | None:
        if value is not None and not LABEL.fullmatch(value):
            raise fault(
                "is no host name",
                "use at most 63 lower-case letters, digits and inner dashes, without a domain",
            )
        return value

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", value):
            raise fault("is no name of a time zone", "write one such as 'Europe/Berlin'")
        # An operator's machine without the IANA database cannot tell; the target will.
        known = available_timezones()
        if known and value not in known:
            guess = nearest(value, known)
            cure = f"did you mean {guess!r}?" if guess else "write one such as 'Europe/Berlin'"
            raise fault("is no time zone of the IANA database", cure)
        return value

    @field_validator("locale")
    @classmethod
    def _is_locale(cls, value: str) -> str:
        if not LOCALE.fullmatch(value):
            raise fault("is no UTF-8 locale", "write one such as 'C.UTF-8' or 'de_DE.UTF-8'")
        return value

    @field_validator("sysctl")
    @classmethod
    def _is_sane(cls, value: dict[str, int | str]) -> dict[str, int | str]:
        found = [(name, wanted, _kernel_fault(name, str(wanted))) for name, wanted in value.items()]
        if wrong := [((name,), wanted, error) for name, wanted, error in found if error]:
            raise faults(wrong)
        return value


def _kernel_fault(name: str, value: str) -> PydanticCustomError | None:
    if not SYSCTL.fullmatch(name):
        return fault("has a key that is no kernel setting", "write one such as 'vm.swappiness'")
    if not re.fullmatch(r"[^\s#;=]+( [^\s#;=]+)*", value):
        return fault("is no value of a kernel setting", "write its words with one space between")
    if reason := BREAKS.get((name, value)):
        return fault(*reason)
    return None
