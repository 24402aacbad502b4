"""Settings of role engine: where Docker comes from, where it keeps its data, what it must be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from clup.fields import AbsolutePath
from clup.settings import Model, fault

PROJECT = Path(__file__).resolve().parents[2]
"""The folder that relative paths in the settings are taken from."""

OWNED_KEYS = ("data-root", "live-restore", "log-driver", "log-opts")
"""Keys of daemon.json that have a setting of their own."""

PACKAGES = (
    "docker-ce",
    "docker-ce-cli",
    "containerd.io",
    "docker-buildx-plugin",
    "docker-compose-plugin",
)
"""What is installed from Docker's own repository."""

CONTAINERD_HOME = "/var/lib/containerd"
"""Where containerd keeps its data by itself."""

_ARMOR = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
# Debian Policy 5.6.12: digits first, then letters, digits and . + - ~ with an optional epoch.
_VERSION = re.compile(r"([0-9]+:)?[0-9][A-Za-z0-9.+~-]*")


def _pinned(versions: dict[str, str]) -> dict[str, str]:
    for name, version in versions.items():
        if name not in PACKAGES:
            raise fault(f"names {name!r}, which clup does not install", f"name {_listed(PACKAGES)}")
        if not _VERSION.fullmatch(version):
            raise fault(
                f"pins {name} to {version!r}, which is not one whole version",
                "write it as `apt-cache madison` shows it, such as 5:29.0.1-1~debian.13~trixie",
            )
    missing = [name for name in PACKAGES if name not in versions]
    if missing:
        raise fault(f"has no version for {_listed(missing)}", "pin each of them")
    return versions


def _armored(value: str) -> str:
    """Given armored text or the path of a file that holds it, return the text."""
    if "-----BEGIN" not in value:
        path = PROJECT / Path(value).expanduser()
        try:
            value = path.read_text(encoding="ascii")
        except OSError as error:
            raise fault(
                f"cannot be read: {error.strerror}", "give a file or the key itself"
            ) from None
        except UnicodeDecodeError:
            raise fault("is not armored", "export it with `gpg --armor --export`") from None
    if not value.strip().startswith(_ARMOR):
        raise fault("is not an armored public key", f"it begins with {_ARMOR}")
    return value.strip() + "\n"


def _foreign(keys: dict[str, Any]) -> dict[str, Any]:
    for key in OWNED_KEYS:
        if key in keys:
            raise fault(f"sets {key!r}, which has a setting of its own", "use that one")
    if "hosts" in keys:
        raise fault("opens the daemon to others by 'hosts'", "leave it at its Unix socket")
    return keys


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names)


class Repository(Model):
    """Docker's own package repository, or a mirror of it."""

    url: str = Field(
        pattern=r"^(https?|file)://?[^\s]+$", examples=["https://mirror.example/debian"]
    )
    """Its address, as the `URIs:` of an apt source. Docker's documentation names it."""
    suite: str = Field(pattern=r"^[a-z0-9][a-z0-9./-]*$", examples=["trixie", "noble"])
    """The distribution's code name."""
    component: str = Field(default="stable", pattern=r"^[a-z0-9-]+$")
    """The part of the suite; `stable` or `test`."""
    key: Annotated[str, AfterValidator(_armored)] = Field(examples=["keys/docker.asc"])
    """The public key that signs the repository: a file (relative to this project), or its
    armored text."""
    versions: Annotated[dict[str, str], AfterValidator(_pinned)]
    """The version of each of Docker's packages. An upgrade is a change of this setting."""


class Log(Model):
    """What the daemon keeps of the output of each container that has no setting of its own."""

    driver: Literal["json-file", "local"] = "json-file"
    """Docker's logging driver."""
    max_size: str = Field(default="10m", pattern=r"^[1-9][0-9]*[kmg]$")
    """The size at which a log file is rotated: a number with k, m or g (bytes)."""
    max_file: int = Field(default=3, ge=2, le=100)
    """How many files are kept for one container."""


class Expect(Model):
    """The known-good baseline. What is left out is not checked; nothing is changed by it."""

    os: str | None = Field(default=None, pattern=r"^[a-z]+ [0-9.]+$", examples=["ubuntu 24.04"])
    """`ID` and `VERSION_ID` of /etc/os-release."""
    engine: str | None = Field(default=None, pattern=r"^[0-9][0-9.]*$", examples=["29."])
    """The beginning of the running engine's version."""
    compose: str | None = Field(default=None, pattern=r"^v?[0-9][0-9.]*$", examples=["v5."])
    """The beginning of Compose's version, with or without its v."""
    data_root: AbsolutePath | None = None
    """The folder in which the running engine keeps its data."""


class Settings(Model):
    """Docker Engine and Compose."""

    source: Literal["distribution", "docker"] = "distribution"
    """Whose packages: the distribution's, which follow its suite, or Docker's own, pinned."""
    repository: Repository | None = None
    """Where Docker's own packages come from; only with source `docker`."""
    requires_mount: AbsolutePath = "/srv/cache"
    """The mount point without which neither daemon starts. Both roots lie below it."""
    data_root: AbsolutePath = "/srv/cache/docker"
    """Where Docker keeps containers, volumes and (before version 29) images."""
    containerd_root: AbsolutePath = "/srv/cache/containerd"
    """Where containerd keeps its data; a fresh Docker 29 keeps its images there. A machine whose
    running containers must not be stopped may leave it at `/var/lib/containerd`."""
    log: Log = Log()
    """Limits of the containers' logs."""
    live_restore: bool = True
    """Whether containers go on while the daemon is restarted."""
    daemon: Annotated[dict[str, Any], AfterValidator(_foreign)] = Field(default_factory=dict)
    """Further keys of daemon.json, by Docker's own names."""
    expect: Expect = Expect()
    """The known-good baseline that `verify` compares the machine with."""

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if self.source == "docker" and self.repository is None:
            raise fault("has source 'docker' but no repository", "add engine.repository")
        if self.source == "distribution" and self.repository is not None:
            raise fault("has a repository that is not used", "set source='docker' or remove it")
        roots = {"data_root": self.data_root, "containerd_root": self.containerd_root}
        for name, root in roots.items():
            if root != CONTAINERD_HOME and not root.startswith(f"{self.requires_mount}/"):
                raise fault(
                    f"has {name} {root!r}, which is not below its mount {self.requires_mount!r}",
                    "put it below, or change engine.requires_mount",
                )
        one, other = f"{self.data_root}/", f"{self.containerd_root}/"
        if one.startswith(other) or other.startswith(one):
            raise fault("has one root within the other", "give each a folder of its own")
        return self
