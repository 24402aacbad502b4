"""A service as the rules see it: the same for a rendered compose file and for a live container.

Each value knows its path, so that a rule can name the place. What was not said is there too, with
the path at which it would have been.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from clup.compose.problem import Path

T = TypeVar("T")

Kind = Literal["service", "job"]
"""A service stays up; a job runs once and ends."""

KIND_LABEL = "clup.class"
"""The label that says which of the two a container is; without it, a service."""


Entrusted = Mapping[str, Collection[str]]
"""By the names of containers, the paths of the host that they alone may mount."""

NOTHING: Entrusted = {}


@dataclass(frozen=True)
class At(Generic[T]):
    """A value with its path."""

    path: Path
    value: T


@dataclass(frozen=True)
class Mount:
    """What a container sees of the host or of a volume.

    `source` is a path of the host where `is_host`, else a volume's name or an image. `creates` is
    whether Docker makes a folder where the source is missing. `read_only` is True only where that
    was said.
    """

    source: str
    target: str
    is_host: bool
    is_short: bool = False
    creates: bool = False
    read_only: bool = False


@dataclass(frozen=True)
class Port:
    """A published port. `address` is empty where none was said, which means every one."""

    address: str
    published: str
    target: str


@dataclass(frozen=True)
class Log:
    """What keeps a container's output. `size` is in bytes, None where it has no limit."""

    driver: str
    size: float | None


@dataclass(frozen=True)
class Service:
    """One container, or what will become one.

    Limits are None where they were not said or cannot be read; `memory` and `swap` are in bytes,
    `swap` is memory and swap together. `entrusted` are paths of the host that nobody else may
    mount: its role says so, and not its own file.
    """

    name: str
    kind: Kind
    is_guard: bool
    entrusted: Collection[str]
    project: At[str]
    images: tuple[At[str], ...]
    elsewhere: tuple[At[str], ...]
    users: tuple[At[str], ...]
    groups: tuple[At[str], ...]
    privileged: tuple[At[object], ...]
    added: tuple[At[str], ...]
    dropped: At[tuple[str, ...]]
    devices: tuple[At[object], ...]
    namespaces: tuple[At[str], ...]
    security: At[tuple[str, ...]]
    read_only: At[bool]
    memory: At[float | None]
    swap: At[float | None]
    cpus: At[float | None]
    pids: At[float | None]
    log: At[Log]
    health: At[bool]
    restart: At[str]
    mounts: tuple[At[Mount], ...]
    api_socket: tuple[At[object], ...]
    ports: tuple[At[Port], ...]
    environment: tuple[At[tuple[str, str]], ...]
    texts: tuple[At[str], ...]
    interpolated: tuple[At[str], ...]
