"""The texts that role engine puts on the machine, and the packages it installs."""

from __future__ import annotations

from typing import Any

from clup.operations.files import File
from roles.engine.settings import CONTAINERD_HOME, PACKAGES, Repository, Settings

KEYRING = "/etc/apt/keyrings/clup-docker.asc"
SOURCES = "/etc/apt/sources.list.d/clup-docker.sources"
PINS = "/etc/apt/preferences.d/clup-docker"
BLACKLIST = "/etc/apt/apt.conf.d/52clup-docker"
FOLDERS = (
    "/etc/containerd",
    "/etc/docker",
    "/etc/systemd/system/containerd.service.d",
    "/etc/systemd/system/docker.service.d",
)

_DEBIAN = ("docker.io", "docker-cli", "docker-compose")
_UBUNTU = ("docker.io", "docker-compose-v2")
RIVALS = {
    "distribution": PACKAGES,
    "docker": (
        "docker.io",
        "docker-cli",
        "docker-compose",
        "docker-compose-v2",
        "containerd",
        "runc",
    ),
}
"""By source: what another source would have installed, and the packages conflict with."""


def packages(settings: Settings, system: tuple[str, str]) -> tuple[str, ...]:
    """Given the settings and the machine's (ID, VERSION_ID), return what to install.

    It is empty where the distribution has no engine with Compose v2, such as Debian 12.
    """
    if settings.repository is not None:
        return tuple(f"{name}={settings.repository.versions[name]}" for name in PACKAGES)
    name, version = system
    release = tuple(int(part) for part in version.split(".") if part.isdigit())
    if name == "debian" and release >= (13,):
        return _DEBIAN
    if name == "ubuntu" and release >= (24, 4):
        return _UBUNTU
    return ()


def daemon_keys(settings: Settings) -> dict[str, Any]:
    """Given the settings, return the keys of daemon.json that they decide."""
    return {
        **settings.daemon,
        "data-root": settings.data_root,
        "live-restore": settings.live_restore,
        "log-driver": settings.log.driver,
        "log-opts": {
            "max-size": settings.log.max_size,
            "max-file": str(settings.log.max_file),
        },
    }


def drop_ins(settings: Settings) -> list[File]:
    """Given the settings, return what keeps both daemons from starting without their disk."""
    roots = {"containerd": settings.containerd_root, "docker": settings.data_root}
    return [
        File(drop_in_path(daemon), drop_in(root, settings.requires_mount))
        for daemon, root in roots.items()
        if root != CONTAINERD_HOME
    ]


def drop_in_path(daemon: str) -> str:
    """Given "docker" or "containerd", return the path of its unit's drop-in."""
    return f"/etc/systemd/system/{daemon}.service.d/clup.conf"


def drop_in(root: str, mount: str) -> str:
    """Given a daemon's root and the mount point it lies below, return the unit's drop-in.

    RequiresMountsFor= waits for the disk and stops the daemon with it. The assertion holds where
    systemd knows of no mount: the disk was left out of fstab, or mounted by hand.
    """
    return f"[Unit]\nRequiresMountsFor={root}\nAssertPathIsMountPoint={mount}\n"


def repository_files(repository: Repository) -> list[File]:
    """Given Docker's repository, return its apt source, key, pins, and what holds upgrades off."""
    held = "".join(f'  "^{name.replace(".", "[.]")}$";\n' for name in PACKAGES)
    pins = "\n".join(
        f"Package: {name}\nPin: version {repository.versions[name]}\nPin-Priority: 1001\n"
        for name in PACKAGES
    )
    source = (
        "Types: deb\n"
        f"URIs: {repository.url}\n"
        f"Suites: {repository.suite}\n"
        f"Components: {repository.component}\n"
        f"Signed-By: {KEYRING}\n"
    )
    return [
        File(KEYRING, repository.key),
        File(PINS, pins),
        File(BLACKLIST, f"Unattended-Upgrade::Package-Blacklist {{\n{held}}};\n"),
        File(SOURCES, source),
    ]
