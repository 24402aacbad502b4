"""What a role says of a stack: its template, what it depends on, how long it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from clup import waiver
from clup.compose.service import Entrusted
from clup.compose.waiver import Waiver

LIVE = "/srv/data/openclaw"
"""The folder below which stacks are read while they run, each in a folder of its own."""

TREE = f"{LIVE}/clup"
"""The desired-state folder: a git repository of root's with the files of all stacks."""

MOUNT = "/srv/data"
"""The mount point that both lie below."""

COMPOSE_FILE = "docker-compose.yml"

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"
"""Macros that the templates of several roles share."""

Placed = Literal["link", "copy"]


@dataclass(frozen=True)
class Config:
    """A file that the stack's containers mount: where it lies, and its content or its template.

    It has no secret: it is committed. `path` is below LIVE. It is always copied from the
    desired-state folder, as a link leads nowhere where its folder is mounted.
    """

    path: str
    content: str | None = None
    template: str | None = None
    mode: str = "0644"


@dataclass(frozen=True)
class Spec:
    """A stack as a role wants it.

    `folder` is where its compose file is read, below LIVE; `template` is looked for in `folders`,
    then in TEMPLATES. `secrets` are files, or folders of files, on the machine that a change of
    starts their readers anew; some other operation makes them. `guards` are the names of the
    containers that may hold Docker's socket, `entrusted` by their names the paths of the host that
    they alone may mount; `private` are networks, by their names in Docker, with the names of the
    containers that alone may be in them; `holders`, by the names of containers of no stack, is why
    they may have Docker's socket beside the guards, or be privileged. `seconds` are what it has to
    be well. `at` is the setting that it comes from. `takeover` is whether it takes the place of
    containers that somebody brought up by hand under its names or ports; None where no setting says
    so.
    """

    name: str
    folder: str
    template: str
    folders: tuple[Path, ...]
    at: str
    values: Mapping[str, object] = field(default_factory=dict)
    configs: tuple[Config, ...] = ()
    secrets: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    entrusted: Entrusted = field(default_factory=dict)
    holders: Mapping[str, waiver.Waiver] = field(default_factory=dict)
    private: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()
    seconds: int = 120
    placed: Placed = "link"
    takeover: bool | None = None

    @property
    def live(self) -> str:
        """The path of the compose file, as operators know it."""
        return f"{LIVE}/{self.folder}/{COMPOSE_FILE}"

    @property
    def takeover_setting(self) -> str:
        """The setting that has it take the place of others, in words; empty where there is none."""
        return "" if self.takeover is None else f"{self.at}.takeover to True"


def in_tree(live: str) -> str:
    """Given a live path, return that of its source in the desired-state folder."""
    return TREE + live.removeprefix(LIVE)
