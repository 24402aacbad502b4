"""Settings of role runner: its images, its jobs, who may run them, and how much there may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from clup.fields import Id
from clup.settings import Model, fault, faults, over
from clup.waiver import Waiver

GUARD, RUNNER = "claw-guard", "claw-runner"
UNTRUSTED, TRUSTED = "claw-job", "claw-trusted"

MOUNT = "/srv/data"
DATA = f"{MOUNT}/openclaw/runner"
CACHE = "/srv/cache/openclaw/runner"

OWNERS = {
    **{f"{DATA}/{name}": "root" for name in ("compose", "jobs", "keys", "ledger", "tokens")},
    **{f"{DATA}/{name}": RUNNER for name in ("audit", "reports", "state")},
    f"{CACHE}/gradle": TRUSTED,
    f"{CACHE}/tmp": RUNNER,
}
"""The folders that the role `layout` makes for it, and who alone may exchange what is in them."""

CALLERS: dict[str, dict[str, Any]] = {
    "operator": {"jobs": "all", "sees": "all", "parallel": 4, "queued": 100},
}
"""The callers of the site: whoever is root there, through `clup job`."""

Image = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9][a-z0-9._/:-]{0,199}@)?sha256:[0-9a-f]{64}$",
        title="an image's id, or NAME@sha256:DIGEST",
    ),
]
ImageName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,40}$", title="a name of your choice")]
ContainerName = Annotated[
    str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]+$", title="a container's name")
]
CallerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$", title="a caller's name")]
JobName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$", title="a job's name")]


class Caller(Model):
    """Somebody who asks for jobs, by a token of their own."""

    jobs: tuple[JobName, ...] | Literal["all"]
    """The jobs that it may run."""
    parallel: int = Field(default=2, ge=1, le=256)
    """How many of its jobs run at a time."""
    queued: int = Field(default=20, ge=1, le=10_000)
    """How many of its jobs wait."""
    sees: Literal["own", "all"] = "own"
    """Whose jobs it sees, and may end."""


class Holder(Waiver):
    """Why a container that clup did not bring up may have Docker's socket, or be privileged: it is
    as strong as root."""


class Ids(Model):
    """The user ids of the accounts that the role `accounts` makes. Each has a group of that id."""

    guard: Id = 2011
    """Of `claw-guard`, who alone reaches Docker."""
    runner: Id = 2010
    """Of `claw-runner`, who owns reports, audit and state."""
    untrusted: Id = 2012
    """Of `claw-job`: jobs that write nothing but their own folder."""
    trusted: Id = 2013
    """Of `claw-trusted`: jobs that also write the cache."""

    @property
    def by_account(self) -> dict[str, tuple[str, int]]:
        """By an account's name, the setting that has its id, and the id."""
        names = {GUARD: "guard", RUNNER: "runner", UNTRUSTED: "untrusted", TRUSTED: "trusted"}
        return {account: (name, getattr(self, name)) for account, name in names.items()}


class Settings(Model):
    """The job runner behind its guard. Nothing of it is on a machine unless it is `enabled`."""

    enabled: bool = False
    """Whether the machine has it."""
    bundle: str = ""
    """A file that `clup bundle build` made, from which the machine gets the images that it lacks: a
    path from this project on, or an absolute one. Its images have the names of their services."""
    images: dict[ImageName, Image] = Field(default_factory=dict)
    """Images by names: `guard` and `runner` are the services', others are for the files of jobs.
    What is said here is over what the bundle has."""
    proxy: Literal["guard", "tecnativa"] = "guard"
    """What stands before Docker: the guard, or the image `tecnativa`, through which no job runs and
    which protects little (see docs/runner.md)."""
    placed: Literal["link", "copy"] = "link"
    """Whether its compose file is read through a link to the desired-state folder, or copied."""
    takeover: bool = False
    """Whether it takes the place of containers that somebody brought up by hand under its names or
    its port. They go on until it is well, and are kept, stopped."""
    jobs: str = Field(default="jobs", min_length=1)
    """The folder of job files NAME.yaml, or NAME.yaml.j2: a path from this project on, or an
    absolute one."""
    callers: Annotated[dict[CallerName, Caller], over(CALLERS)] = Field(
        default=CALLERS, validate_default=True
    )
    """Who may run jobs, merged over those of the site; None takes one of those away. Each has a
    token, which is made on the machine."""
    docker: dict[ContainerName, Holder] = Field(default={})
    """Containers beside the guard that may have Docker's socket or be privileged, by their names,
    and why. No other may while it runs; services of `stacks` have waivers of their own."""
    ids: Ids = Ids()
    # The runner has up to three connections to the guard for each, which takes 256 of an address.
    parallel: int = Field(default=4, ge=1, le=64)
    """Jobs that run at a time, of all callers."""
    queued: int = Field(default=200, ge=1, le=10_000)
    """Jobs that wait, of all callers."""
    reports_days: int = Field(default=30, ge=1, le=36_500)
    """Days after which logs and artifacts of jobs are removed,"""
    reports_mb: int = Field(default=10_240, ge=1, le=100_000_000)
    """and the size, in MB, above which the oldest of them are; half of their disk, where that is
    less. Each file and folder counts 16 KB beside its content."""
    cache_days: int = Field(default=90, ge=1, le=36_500)
    """Days after which a file of the jobs' cache is removed that nobody read (never on a filesystem
    mounted noatime, as the role `storage` does unless told otherwise: no read shows there),"""
    cache_mb: int = Field(default=20_480, ge=1, le=100_000_000)
    """and the size, in MB, above which those unread for longest are (on noatime, those written
    longest ago)."""

    @property
    def before_docker(self) -> str:
        """The name of the image that stands before Docker."""
        return "tecnativa" if self.proxy == "tecnativa" else "guard"

    @property
    def services(self) -> tuple[str, str]:
        """The names of the images that the stack consists of."""
        return self.before_docker, "runner"

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if found := list(self._missing()):
            raise faults(found)
        return self

    def _missing(self) -> Iterator[tuple[tuple[str | int, ...], object, PydanticCustomError]]:
        # What a bundle holds is no matter of the settings alone: `problems` has what it lacks.
        for name in () if self.bundle else self.services:
            if self.enabled and name not in self.images:
                cure = "give its image's id, or name a bundle in runner.bundle"
                error = fault("is needed by a runner that is enabled", cure)
                yield ("images", name), None, error
        taken: dict[int, str] = {}
        for account, (name, number) in self.ids.by_account.items():
            if number in taken:
                cure = "give each account an id of its own"
                yield ("ids", name), number, fault(f"is the id of {taken[number]} too", cure)
            taken[number] = account
