"""Where a container and what it is told come from: its image, its project, its values."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clup.compose.problem import Path, shown
from clup.compose.rule import Fault, Rule
from clup.compose.secret import named_secret, secret_in
from clup.compose.service import Service

_CIS = "CIS Docker Benchmark 1.6.0"

_PINNED = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}|(sha256:)?[0-9a-f]{64}")
_LATEST = re.compile(r"[^@]*:latest(@.*)?")
_VARIABLE = re.compile(r"\$\{?[A-Za-z_][A-Za-z0-9_]*")


def _image(service: Service) -> Iterator[Fault]:
    cure = "name it by digest (NAME@sha256:...) or, for one that was built here, by its id"
    for at in service.images:
        if not at.value:
            yield Fault(at.path, "", "is missing", cure)
        elif _LATEST.fullmatch(at.value):
            yield Fault(at.path, shown(at.value), "is whatever was pushed last", cure)
        elif not _PINNED.fullmatch(at.value):
            yield Fault(at.path, shown(at.value), "is a tag, which may be moved", cure)


def _project(service: Service) -> Iterator[Fault]:
    if not service.project.value:
        reason = "is missing: the folder's name decides which containers belong together"
        yield Fault(service.project.path, "", reason, "write name: at the top of the file")


def _elsewhere(service: Service) -> Iterator[Fault]:
    for at in service.elsewhere:
        reason = f"brings in {at.value}, which no rule sees"
        yield Fault(at.path, "", reason, "write it out in this file")


def _secrets(service: Service) -> Iterator[Fault]:
    found: dict[Path, str] = {}
    for at in service.texts:
        if what := secret_in(at.value):
            found[at.path] = f"holds what looks like {what}"
    for each in service.environment:
        if named_secret(*each.value):
            found[each.path] = f"gives {shown(each.value[0])} a value, which every inspect shows"
    for path, reason in found.items():
        yield Fault(path, "", reason, "put it into a file, mount that, and name it (NAME_FILE)")


def _interpolated(service: Service) -> Iterator[Fault]:
    cure = "render the value from settings; mount a secret as a file; write $$ for a $ itself"
    for at in service.interpolated:
        variable = _VARIABLE.search(at.value)
        value = (
            variable[0].replace("{", "") if variable else at.value if "$" not in at.value else "$"
        )
        reason = "is taken from the environment, or a file, of whoever runs Compose"
        yield Fault(at.path, shown(value), reason, cure)


RULES = (
    Rule(
        "pinned-image",
        "The image is pinned by digest or id",
        "A tag is whatever its owner pushes next: what was tested is not what runs after a pull.",
        f"{_CIS}, 4.2; design rule 8",
        _image,
    ),
    Rule(
        "project-name",
        "The file names its project",
        "Without a name it is that of the file's folder. Files that are linked into folders of one"
        " name then share a project, and each takes the others' containers for its own.",
        "trap 5",
        _project,
    ),
    Rule(
        "self-contained",
        "What runs stands in this file",
        "Files that are included, services that are extended, images that are built and programs"
        " that are called bring what no rule has judged.",
        "design rule 4",
        _elsewhere,
    ),
    Rule(
        "secrets",
        "No secret in the environment, the arguments or the labels",
        "`docker inspect`, the process list and every crash report show them. Secrets are files.",
        f"{_CIS}, 4.10; design rule 5",
        _secrets,
    ),
    Rule(
        "interpolation",
        "Nothing is interpolated by Compose, and no file of variables is read",
        "The value would come from the shell or the .env of whoever runs Compose: not what was"
        " judged, and a secret would end in the environment.",
        "design rules 4 and 5; seed 003, section 5.3",
        _interpolated,
    ),
)
