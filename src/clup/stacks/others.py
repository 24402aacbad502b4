"""Containers that belong to no stack of clup's: whoever brought them up, they are not root."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from clup.checks import Result, expect
from clup.compose.catalogue import CATALOGUE
from clup.compose.container import container
from clup.compose.problem import dotted
from clup.compose.rules.mounts import shows_sockets
from clup.facts.stacks import StacksState
from clup.stacks.spec import Spec

CHECKS = (
    *(rule.check for rule in CATALOGUE if rule.id in ("docker-socket", "privileged")),
    shows_sockets,
)
"""What makes a container root on the host by Docker itself, however little else is known of it. The
host's devices and process ids are ways too, which are not looked for in what is not clup's."""


def others(role: str, spec: Spec, state: StacksState) -> Iterator[Result]:
    """Given a stack that has guards before Docker, look for whoever passes them by."""
    today = datetime.date.today()
    judged = (as_root(each, state.volumes) for each in state.others)
    found = {name: why for name, why in judged if why}
    held = {name for name, waiver in spec.holders.items() if waiver.holds(today)}
    for name, waiver in spec.holders.items():
        what = f"{role}: the waiver of the container {name} holds until {waiver.expires}"
        cure = f"ask {waiver.owner} whether it is still needed: {waiver.reason}"
        yield expect(what, True, name in held, cure)
    what = f"{role}: no container but the guard has Docker's socket or is privileged"
    names = sorted(found.keys() - held)
    cure = (
        f"see who started it, then `docker rm -f {' '.join(names)}`; what is needed, say in"
        f" {spec.at}.docker.NAME, with why, who and until when"
    )
    yield expect(what, [], [f"container {name} {found[name]}" for name in names], cure)
    for name in sorted(found.keys() & held):
        yield Result(f"{role}: container {name} {found[name]}, by its waiver", "passed")
    what = f"{role}: containerd runs nothing for Docker that Docker does not know"
    cure = f"`sudo ctr -n moby tasks rm -f {' '.join(state.strays)}`; see docs/troubleshooting.md"
    yield expect(what, [], list(state.strays), cure)


def as_root(inspected: Mapping[str, Any], volumes: Mapping[str, Any]) -> tuple[str, str]:
    """Given what a container has of the host, and Docker's volumes by name, return its name and why
    it is root there, or nothing."""
    service = container(inspected, volumes=volumes)
    faults = [fault for check in CHECKS for fault in check(service)]
    said = (f"{dotted(each.path)} {each.value} {each.reason}" for each in faults)
    return service.name, ", ".join(said)
