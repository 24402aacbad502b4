"""What is on the machine already: taken over where nothing is lost by it, refused where it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from pyinfra.api.command import PyinfraCommand
from pyinfra.api.operation import operation
from pyinfra.context import host

from clup.daemon_files import (
    CONTAINERD_TOML,
    DAEMON_JSON,
    UnreadableError,
    root_in_json,
    root_in_toml,
)
from clup.facts.docker import Engine, EngineState, Stored, Wanted
from clup.facts.packages import AptSources, DebVersions
from clup.operations.packages import is_installed
from clup.operations.steps import Steps, refuse
from roles.engine.files import SOURCES
from roles.engine.settings import CONTAINERD_HOME

# Docker keeps to the storage driver that it finds data of, but never to this one.
_KEEP_VFS = "; keep its driver by engine.daemon={'storage-driver': 'vfs'}"
_OR_STAY = f"; or leave it on the root disk: engine.containerd_root={CONTAINERD_HOME!r}"


@operation()
def adoptable(
    packages: Sequence[str], rivals: Sequence[str], wanted: Wanted, repository: str = ""
) -> Steps:
    """Refuse where converging the engine would leave data behind or meet another one's packages.

    `packages` is empty where the distribution has none that will do; `rivals` cannot be installed
    beside them. `repository` is the address of the one that is to be entered, if any.
    """
    yield from _refusals(packages, rivals, wanted, host.get_fact(Engine))
    if repository:
        yield from _entered(host.get_fact(AptSources, url=repository))


def _entered(files: list[str]) -> list[PyinfraCommand]:
    """Given apt's files that name the repository with a key, refuse those of somebody else: apt
    then reads no source at all any more."""
    return [
        refuse(
            f"apt's source {file}",
            "names Docker's repository too, and apt takes no repository by two keys",
            f"move it away (`mv {file} {file}.away`): clup enters its own; then apply again",
        )
        for file in files
        if file != SOURCES
    ]


def _refusals(
    packages: Sequence[str], rivals: Sequence[str], wanted: Wanted, found: EngineState
) -> list[PyinfraCommand]:
    refused: list[PyinfraCommand] = []
    if not packages:
        refused.append(
            refuse(
                f"Docker on {' '.join(found.os)}",
                "this distribution has no engine with Compose v2",
                "set engine.source='docker' with engine.repository",
            )
        )
    if found.is_in_swarm and wanted.live_restore:
        refused.append(
            refuse(
                "live restore",
                "Docker is in a swarm, with which it would not start",
                "set engine.live_restore=False (then a restart of Docker stops the containers),"
                " or type `docker swarm leave`",
            )
        )
    names = tuple(package.partition("=")[0] for package in packages)
    versions = host.get_fact(DebVersions, names=names) if names else {}
    if not all(is_installed(package, versions) for package in packages):
        there = host.get_fact(DebVersions, names=tuple(rivals))
        if there:
            listed = " ".join(sorted(there))
            refused.append(
                refuse(
                    "Docker's packages",
                    f"installed from another source: {listed}",
                    f"keep that source in engine.source, or type `apt-get remove {listed}`"
                    " (containers, images and volumes stay), then apply again",
                )
            )
    data, containerd = roots(found)
    if (data, containerd) != (wanted.data_root, wanted.containerd_root):
        stored = host.get_fact(
            Stored,
            data=data,
            data_wanted=wanted.data_root,
            containerd=containerd,
            containerd_wanted=wanted.containerd_root,
        )
        refused.extend(_left_behind(stored, data, containerd, wanted))
    return refused


def roots(found: EngineState) -> tuple[str, str]:
    """Return where Docker and containerd keep their data now, or would when they are started."""
    data, containerd = "/var/lib/docker", CONTAINERD_HOME
    # A file that cannot be read is refused by the operation that would change it.
    with suppress(UnreadableError):
        data = root_in_json(found.files.get(DAEMON_JSON)) or data
    with suppress(UnreadableError):
        containerd = root_in_toml(found.files.get(CONTAINERD_TOML)) or containerd
    running = (found.info or {}).get("DockerRootDir")
    return running or data, found.containerd_root or containerd


def _left_behind(
    stored: Mapping[str, int], data: str, containerd: str, wanted: Wanted
) -> list[PyinfraCommand]:
    """Given what is stored under other roots, return the refusals with the way to move it."""
    in_containerd = {what for what in stored if what in ("containerd blobs", "running containers")}
    driver = _KEEP_VFS if "images of driver vfs" in stored else ""
    moves = (
        ("Docker", data, wanted.data_root, set(stored) - in_containerd, driver),
        ("containerd", containerd, wanted.containerd_root, in_containerd, _OR_STAY),
    )
    return [
        refuse(
            f"{whose}'s root",
            f"{old} holds {', '.join(f'{what} ({stored[what]})' for what in sorted(left))},"
            f" which would be left behind by {new}",
            "stop all containers, then `systemctl stop docker.socket docker containerd`,"
            f" `cp -aT {old} {new}` with its disk mounted, `mv {old} {old}.moved`,"
            f" apply again{unless}",
        )
        for whose, old, new, left, unless in moves
        if left
    ]
