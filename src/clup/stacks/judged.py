"""A stack's files, rendered and judged: what may be put on a machine. Nothing is contacted."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from clup.compose import file
from clup.compose.judge import Finding
from clup.compose.problem import ComposeError
from clup.compose.render import render
from clup.compose.service import Kind
from clup.compose.stack import Stack, stack
from clup.compose.value import mapping, text
from clup.machine import history
from clup.settings import Problem
from clup.stacks.spec import LIVE, TEMPLATES, TREE, Config, Placed, Spec, in_tree


@dataclass(frozen=True)
class StackFile:
    """A file of a stack, by its live path."""

    live: str
    content: str
    mode: str
    placed: Placed

    @property
    def tree(self) -> str:
        """Its path in the desired-state folder."""
        return in_tree(self.live)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content.encode()).hexdigest()


@dataclass(frozen=True)
class Expected:
    """A service that the compose file has Compose start.

    `sources` are the paths of the host that it mounts; `container` its container's name, if the
    file gives it one; `ports` what it publishes on the host.
    """

    name: str
    kind: Kind
    image: str
    container: str
    sources: tuple[str, ...]
    ports: tuple[int, ...] = ()

    def reads(self, path: str) -> bool:
        """Whether a path of the host is, or is in, what it mounts."""
        return any(path == source or path.startswith(f"{source}/") for source in self.sources)


@dataclass(frozen=True)
class Judged:
    """A stack that broke no rule but what is waived.

    `portless` is its compose file without what it publishes, for what comes up beside another.
    """

    spec: Spec
    files: tuple[StackFile, ...]
    services: tuple[Expected, ...]
    waived: tuple[Finding, ...]
    portless: str = ""

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def images(self) -> tuple[str, ...]:
        """The images that its services are pinned to, each once."""
        return tuple(dict.fromkeys(each.image for each in self.services))

    @property
    def names(self) -> dict[str, str]:
        """The names that its file gives to containers, with their services."""
        return {each.container: each.name for each in self.services if each.container}


_known: dict[str, Judged] = {}


def judged(spec: Spec) -> Judged:
    """Given a stack as a role says it, return it rendered and judged.

    Raise ComposeError with all problems of the first step that has any.
    """
    today = datetime.date.today()
    key = f"{today} {spec!r}"
    if key not in _known:
        _known[key] = _judged(spec, today)
    return _known[key]


def problems(specs: Iterable[Spec]) -> list[Problem]:
    """Given the stacks of a machine, return what is wrong with them, and between them."""
    found: list[Problem] = []
    taken: dict[str, str] = {}
    for spec in specs:
        for what, key in (("the name", spec.name), ("the folder", f"{spec.folder}/")):
            if other := taken.get(key):
                cure = "give one of them another"
                found.append(Problem(spec.at, "", f"has {what} of {other}", cure))
            taken[key] = spec.at
        try:
            judged(spec)
        except ComposeError as error:
            found += error.problems
    return found


def _judged(spec: Spec, today: datetime.date) -> Judged:
    folders = (*spec.folders, TEMPLATES)
    made = stack(
        spec.template,
        folders,
        spec.values,
        guards=spec.guards,
        entrusted=spec.entrusted,
        waivers=spec.waivers,
        today=today,
        at=f"{spec.at}.waivers",
    )
    files = [StackFile(spec.live, made.text, "0644", spec.placed)]
    found = [*_misnamed(spec, made)]
    for config in spec.configs:
        try:
            files.append(StackFile(config.path, _content(spec, config), config.mode, "copy"))
        except ComposeError as error:
            found += error.problems
    found += [problem for each in files for problem in _misplaced(spec, each)]
    if found:
        raise ComposeError(found)
    services = tuple(_services(made, spec))
    return Judged(spec, tuple(files), services, made.waived, _portless(made.document.data))


def _portless(data: Mapping[str, object]) -> str:
    services = {
        name: {key: value for key, value in mapping(said).items() if key != "ports"}
        for name, said in mapping(data.get("services")).items()
    }
    # JSON is YAML, too.
    return json.dumps({**data, "services": services}, indent=1)


def _content(spec: Spec, config: Config) -> str:
    if config.template is None:
        return config.content or ""
    return render(config.template, (*spec.folders, TEMPLATES), spec.values)


def _misnamed(spec: Spec, made: Stack) -> Iterator[Problem]:
    if made.name != spec.name:
        cure = f"write name: {spec.name} at the top of the file"
        yield Problem("name", repr(made.name), f"is not {spec.name}", cure, made.document.origin)


def _misplaced(spec: Spec, each: StackFile) -> Iterator[Problem]:
    below = each.live.startswith(f"{LIVE}/") and not each.live.startswith(f"{TREE}/")
    if not below or "/../" in f"{each.live}/" or "//" in each.live:
        cure = f"put it below {LIVE}, and not into {TREE}"
        yield Problem(spec.at, repr(each.live), "is no place for a file of a stack", cure)
        return
    path = each.tree.removeprefix(f"{TREE}/")
    if why := history.objection(path, "100644", each.content.encode()):
        cure = "mount a secret as a file of its own, which is no part of the stack's files"
        reason = f"would be committed to {TREE}, and {why}"
        yield Problem(spec.at, repr(each.live), reason, cure)


def _services(made: Stack, spec: Spec) -> Iterator[Expected]:
    said = mapping(made.document.data.get("services"))
    for service in file.services(made.document, spec.guards):
        if mapping(said.get(service.name)).get("profiles"):
            continue
        yield Expected(
            service.name,
            service.kind,
            service.images[0].value,
            text(mapping(said.get(service.name)).get("container_name")),
            tuple(each.value.source for each in service.mounts if each.value.is_host),
            tuple(
                int(each.value.published)
                for each in service.ports
                if each.value.published.isdecimal()
            ),
        )
