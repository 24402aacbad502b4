"""What is to be done about a stack: what is wanted, compared with what the machine has."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from clup.facts.stacks import StacksState, StackState
from clup.machine.stack_reading import of_project, standing
from clup.stacks.judged import Judged, StackFile
from clup.stacks.spec import TREE


@dataclass(frozen=True)
class Change:
    """Why something is to be done, a line each; whether Compose is to bring the stack `up`, and
    which services it is to start `anew`, as they read what changed or are not well."""

    reasons: tuple[str, ...]
    up: bool
    anew: tuple[str, ...]


def question(
    stacks: Sequence[Judged], whole: bool = False, beside: Sequence[str] | None = None
) -> str:
    """Given stacks, return what the machine is to be asked about them, as JSON.

    With `whole`, Docker tells all of their containers; with `beside`, the names of all stacks of
    the machine, also what of the host any other container has.
    """
    asked = {
        each.name: {
            "files": [path for file in each.files for path in (file.tree, file.live)],
            "secrets": each.spec.secrets,
            "images": each.images,
        }
        for each in stacks
    }
    said = {"tree": TREE, "whole": whole, "beside": beside, "stacks": asked}
    return json.dumps(said, sort_keys=True)


def change(stack: Judged, machine: StacksState) -> Change | None:
    """Given a stack and what the machine has, return what is to be done; None for nothing."""
    found = machine.stacks.get(stack.name, StackState())
    parts = [*_parts(stack, found), *_by_hand(stack, found)]
    troubles = dict(_troubles(stack, machine, found))
    up = [
        *(["a change of it was begun, and did not come to its end"] if found.pending else []),
        *(["it was not brought up yet"] if found.record is None and not found.pending else []),
        *(line for line, _ in parts),
        *troubles.values(),
    ]
    rest = [*_misplaced(stack, found), *_uncommitted(stack, machine)]
    if not up and not rest:
        return None
    # About its own file Compose decides itself.
    changed = {path for _, path in parts if path not in ("", stack.spec.live)}
    anew = [
        each.name
        for each in stack.services
        if each.name in troubles or any(each.reads(path) for path in changed)
    ]
    return Change((*up, *rest), bool(up), tuple(anew))


def _parts(stack: Judged, found: StackState) -> Iterator[tuple[str, str]]:
    """Yield what differs of that which the stack depends on, with the path that its readers read.

    Of one that was never well everything is new, and so nothing differs.
    """
    if found.record is None:
        return
    wanted = {
        **{f"file {file.live}": file.sha256 for file in stack.files},
        **{f"image {each}": found.images.get(each) for each in stack.images},
        **{f"secret {path}": found.secrets.get(path) for path in stack.spec.secrets},
    }
    before = found.record["parts"]
    for part, digest in wanted.items():
        kind, _, path = part.partition(" ")
        if digest != before.get(part) or digest is None:
            what = {"file": "its file", "image": "the image", "secret": "the secret"}[kind]
            how = "is not there" if digest is None else "differs from what runs"
            yield f"{what} {path} {how}", "" if kind == "image" else path
    for part in before:
        if part not in wanted:
            yield f"{part} left it", ""


def _by_hand(stack: Judged, found: StackState) -> Iterator[tuple[str, str]]:
    """Yield each copy that somebody changed: whoever mounts it reads that one until it starts
    anew, also when it was replaced since."""
    if found.record is None:
        return
    for file in stack.files:
        if file.placed == "copy" and not is_file(file, found, file.live):
            yield f"{file.live} is not the copy of {file.tree}", file.live


def _troubles(stack: Judged, machine: StacksState, found: StackState) -> Iterator[tuple[str, str]]:
    """Yield each service of which the containers are not as they were left, and how they are."""
    if found.record is None:
        return
    services = of_project((dict(each) for each in machine.containers), stack.name)
    hashes = found.record["services"]
    for service in stack.services:
        there = services.get(service.name, [])
        line = "" if there else f"service {service.name} has no container"
        for each in there:
            state, words = standing(each, service.kind)
            if state == "failed":
                line = f"service {service.name} {words}"
            elif each["hash"] not in hashes.get(service.name, [each["hash"]]):
                line = f"service {service.name} was brought up otherwise, by hand"
        if line:
            yield service.name, line


def _misplaced(stack: Judged, found: StackState) -> Iterator[str]:
    for file in stack.files:
        if found.record is not None and not is_file(file, found, file.tree):
            yield f"{file.tree} is not as it was committed"
        there = found.files.get(file.live)
        if file.placed == "link" and (not there or there.get("target") != file.tree):
            yield f"{file.live} does not lead to {file.tree}"


def is_file(file: StackFile, found: StackState, path: str) -> bool:
    """Whether a path has a file's content, is root's and has its mode."""
    there = found.files.get(path) or {}
    as_wanted = (file.sha256, file.mode, [0, 0])
    return (there.get("sha256"), there.get("mode"), there.get("owner")) == as_wanted


def _uncommitted(stack: Judged, machine: StacksState) -> Iterator[str]:
    for file in stack.files:
        if machine.uncommitted is not None and file.tree in machine.uncommitted:
            yield f"{file.tree} is not committed"
