"""Containers of somebody else's that are in the way of a stack: they have its name, or its port."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

Container = Mapping[str, Any]
"""One as `clup.machine.stack_reading` tells of it."""


def in_the_way(
    found: Iterable[Container], stack: str, names: Mapping[str, str], ports: Collection[int]
) -> list[Container]:
    """Given all containers, return those that a stack cannot run beside.

    `names` are the names of its own containers with their services, `ports` what it publishes.
    """
    return [
        each
        for each in found
        if (each["name"] in names and not _is_own(each, stack, names))
        or (each["project"] != stack and not set(ports).isdisjoint(each["ports"]))
    ]


def _is_own(container: Container, stack: str, names: Mapping[str, str]) -> bool:
    whose = (container["project"], container["service"])
    return whose == (stack, names[container["name"]])


def described(container: Container) -> str:
    """Return a container in words: its name, and whose it is."""
    project = container["project"]
    whose = f"the project {project}" if project else "no project"
    return f"the container {container['name']} is there and belongs to {whose}"


def cure(container: Container, setting: str) -> str:
    """Return what to do about a container in the way, and any more; `setting` is what has clup take
    over, in words, or "" where nothing does."""
    name = container["name"]
    by_hand = (
        f"rename each (`docker rename {name} {name}-old`) and stop it if it has the same ports,"
        " then apply again"
    )
    return f"set {setting} to have clup take over, or {by_hand}" if setting else by_hand
