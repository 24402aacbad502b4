"""A job's definition: what its file says, as a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from services.jobs import names
from services.jobs.document import parse
from services.jobs.limits import Limits, read_limits
from services.jobs.parameters import Parameter, UnfitError, Workspace, read_parameters
from services.jobs.problem import JobError, Path, Problem, dotted, shown
from services.jobs.sheet import Sheet

Trust = Literal["untrusted", "trusted"]
Cache = Literal["none", "gradle"]

_IMAGE = re.compile(r"(?:[a-z0-9][a-z0-9._/:-]{0,199}@)?sha256:[0-9a-f]{64}", re.ASCII)
_TAGGED = re.compile(r"[^@]*:[^/@]*@.*")
_LINE = re.compile(r"[^\x00-\x1f\x7f\u2028\u2029]{1,200}")
_WORD = re.compile(r"[^\x00]{1,4096}", re.DOTALL)

_REQUIRED = ("job", "description", "image", "command", "trust")
_OPTIONAL = ("parameters", "limits", "cache")


@dataclass(frozen=True)
class Job:
    """What is run under a name. Only `parameters` leave a choice to whoever asks for it."""

    name: str
    description: str
    image: str
    """An image's id, or NAME@sha256:DIGEST."""
    command: tuple[str, ...]
    trust: Trust
    """Trusted ones write the cache, the others only read it."""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    cache: Cache = "none"

    @property
    def has_workspace(self) -> bool:
        """Whether it reads a repository."""
        return any(isinstance(each.kind, Workspace) for each in self.parameters.values())

    def environment(self, given: Mapping[str, object]) -> dict[str, str]:
        """Given the parameters of a request, return the environment that they make.

        A parameter that is not given has its default. Raise JobError with all problems.
        """
        problems = [
            _problem(("parameters", name), "", "is no parameter of this job", _known(self))
            for name in given
            if name not in self.parameters
        ]
        environment = {}
        for name, parameter in self.parameters.items():
            value = given.get(name, parameter.default)
            if value is None:
                path = ("parameters", name)
                value_text = shown(value) if name in given else ""
                problems.append(_problem(path, value_text, "is required", "give it"))
                continue
            try:
                environment[names.variable(name)] = parameter.kind.text(value)
            except UnfitError as unfit:
                path = ("parameters", name)
                problems.append(_problem(path, shown(value), unfit.reason, unfit.cure))
        if problems:
            raise JobError(problems)
        return environment

    def schema(self) -> dict[str, Any]:
        """Return what `environment` takes, as a JSON Schema of an object."""
        return {
            "type": "object",
            "properties": {name: each.schema() for name, each in self.parameters.items()},
            "required": [name for name, each in self.parameters.items() if each.is_required],
            "additionalProperties": False,
        }


def read_job(text: str, name: str, origin: str) -> Job:
    """Given the text of a job's file, the job's name by the file's, and where it is from, return
    the job. Raise JobError with all problems."""
    sheet = Sheet(parse(text, origin))
    said = sheet.fields((), sheet.document.data, _REQUIRED, _OPTIONAL)
    job = _read(sheet, said, name)
    if sheet.problems or job is None:
        raise JobError(sheet.problems)
    return job


def _read(sheet: Sheet, said: Mapping[str, Any], name: str) -> Job | None:
    """Read each key that is there, also when another is missing: all problems are told at once."""
    if not names.JOB.fullmatch(name):
        cure = "name the file with a-z, 0-9, _ and -, a letter first, at most 41, and .yaml"
        sheet.fault(("job",), name, "is no job's name", cure)
    if "job" in said and said["job"] != name:
        sheet.fault(("job",), said["job"], "is not the file's name", f"write {name}")
    description = image = command = trust = None
    if "description" in said:
        cure = "write one line of at most 200 characters"
        description = sheet.text(("description",), said["description"], _LINE, cure)
    if "image" in said:
        image = _read_image(sheet, ("image",), said["image"])
    if "command" in said:
        cure = "write 1 to 4096 characters"
        command = sheet.texts(("command",), said["command"], _WORD, 64, cure)
    if "trust" in said:
        trust = sheet.one_of(("trust",), said["trust"], get_args(Trust))
    parameters = read_parameters(sheet, ("parameters",), said.get("parameters", {}))
    limits = read_limits(sheet, ("limits",), said.get("limits", {}))
    cache = sheet.one_of(("cache",), said.get("cache", "none"), get_args(Cache))
    if description is None or image is None or command is None or trust is None or cache is None:
        return None
    return Job(name, description, image, command, trust, parameters, limits, cache)


def _read_image(sheet: Sheet, path: Path, value: object) -> str | None:
    cure = "pin it: sha256:<64 hex digits> (an image's id) or NAME@sha256:<64 hex digits>"
    image = sheet.text(path, value, _IMAGE, cure)
    if image is not None and _TAGGED.fullmatch(image):
        sheet.fault(path, image, "has a tag beside its digest", "leave the tag out")
        return None
    return image


def _known(job: Job) -> str:
    return f"known: {', '.join(job.parameters)}" if job.parameters else "give none"


def _problem(path: Path, value: str, reason: str, cure: str) -> Problem:
    return Problem(dotted(path), value, reason, cure)
