"""Settings of the role stacks: compose stacks of one's own, beside those of other roles."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from clup.compose.waiver import Waiver
from clup.fields import AbsolutePath
from clup.settings import Model, fault


def _template(value: str) -> str:
    if value.startswith("/") or ".." in value.split("/"):
        raise fault("leads out of its folder", "put it below stacks.templates, name it from there")
    return value


Template = Annotated[str, AfterValidator(_template), Field(examples=["web/compose.yaml.j2"])]

StackName = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", title="the name of a compose project")
]


class Own(Model):
    """One stack."""

    template: Template
    """Its compose file, as a Jinja template below `stacks.templates`. It says `name:` with the
    stack's own name."""
    folder: str = Field(
        default="", pattern=r"^([a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*)?$", max_length=80
    )
    """Where its `docker-compose.yml` is read, below `/srv/data/openclaw`; by default the stack's
    name."""
    values: dict[str, Any] = Field(default_factory=dict)
    """What its templates are given."""
    configs: dict[AbsolutePath, Template] = Field(default_factory=dict)
    """Files that its containers mount, by their path on the machine, each with its template. They
    are committed with it: none may be a secret."""
    secrets: tuple[AbsolutePath, ...] = ()
    """Files, or folders of files, that you put on the machine and its containers mount. A change
    of one starts its readers anew; of what is in it, no more than a keyed digest is kept."""
    waivers: tuple[Waiver, ...] = ()
    """Invariants that do not hold for one of its services."""
    seconds: int = Field(default=120, ge=5, le=3600)
    """How long it has to be well after a change; then the version that ran is put back."""
    placed: Literal["link", "copy"] = "link"
    """Whether its compose file is read through a link to the desired-state folder, or copied."""


class Settings(Model):
    """The desired-state folder, and compose stacks of your own."""

    templates: str = Field(default="stacks", min_length=1)
    """The folder of their templates: a path from this project on, or an absolute one."""
    own: dict[StackName, Own] = Field(default_factory=dict)
    """Stacks by their names."""
