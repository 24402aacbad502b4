"""What goes in and out of the API, as /openapi.json describes it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from services.jobs import Job
from services.jobs.names import ID, JOB, PARAMETER
from services.runner.records import Record
from services.runner.states import State, is_final

JobName = Annotated[str, Field(pattern=f"^{JOB.pattern}$", max_length=41, examples=["audit"])]
JobId = Annotated[str, Field(pattern=f"^{ID.pattern}$", min_length=32, max_length=32)]
ParameterName = Annotated[str, Field(pattern=f"^{PARAMETER.pattern}$", max_length=31)]
ParameterValue = Annotated[StrictStr, Field(max_length=1000)] | StrictInt


class RunRequest(BaseModel):
    """A job to run."""

    model_config = ConfigDict(extra="forbid")

    job: JobName
    parameters: dict[ParameterName, ParameterValue] = Field(default_factory=dict, max_length=64)


class ResultView(BaseModel):
    """How a job ended. Sizes are bytes, times seconds."""

    exit_code: int | None
    oom_killed: bool
    reason: str
    seconds: float | None
    log_bytes: int
    log_truncated: bool
    artifacts: int
    artifacts_bytes: int
    artifacts_refused: list[str]
    usage: dict[str, int | float]


class JobView(BaseModel):
    """A job that was asked for. Times are UTC in ISO 8601, null while not there."""

    id: JobId
    job: JobName
    caller: str
    parameters: dict[str, str | int]
    image: str
    state: State
    created: str
    started: str | None
    finished: str | None
    cancelling: bool
    """Whether a caller asked for its end."""
    result: ResultView | None


class Listing(BaseModel):
    """Jobs, the newest first. `before` asks for those that follow; null when these are all."""

    jobs: list[JobView]
    before: int | None


class CatalogueEntry(BaseModel):
    """A job that the caller may run."""

    name: JobName
    description: str
    parameters: dict[str, Any]
    """A JSON Schema of an object."""
    seconds: int
    """How long it may run."""


class CatalogueView(BaseModel):
    """What the caller may run, and which files it comes from."""

    jobs: list[CatalogueEntry]
    digest: str


class ArtifactView(BaseModel):
    """A file that a job left."""

    name: str
    bytes: int


class ArtifactsView(BaseModel):
    """The files that a job left."""

    artifacts: list[ArtifactView]


class HealthView(BaseModel):
    """How the runner is."""

    ok: bool
    service: str
    time_utc: str
    docker_host: str
    data_dir: str
    cache_dir: str
    reason: str | None = None
    """Why it is not ok."""
    problems: list[str] | None = None
    """What is wrong although it is."""


def job_view(record: Record) -> JobView:
    """Return a job as callers see it."""
    result = asdict(record.result) if is_final(record.state) else None
    return JobView(
        id=record.id,
        job=record.job,
        caller=record.caller,
        parameters=dict(record.parameters),
        image=record.image,
        state=record.state,
        created=record.created,
        started=record.started or None,
        finished=record.finished or None,
        cancelling=record.cancelling,
        result=ResultView.model_validate(result) if result else None,
    )


def catalogue_entry(job: Job) -> CatalogueEntry:
    """Return a job of the catalogue as callers see it."""
    return CatalogueEntry(
        name=job.name,
        description=job.description,
        parameters=job.schema(),
        seconds=job.limits.seconds,
    )
