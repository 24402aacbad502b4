"""Settings of the role layout: the folders, whose they are, and who may enter them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from clup.fields import AbsolutePath, Mode, Name
from clup.settings import Model, fault, faults, over

# A folder on the way to something that root trusts (a stack's compose file, a job's definition,
# a key, a token, the ledger with the heads of the audit chain) belongs to root: whoever owns a
# folder can exchange what is in it. The runner owns what it writes; psy, a human, reads that by the
# group (2750: what is made inside has the group too) and works in the repositories. The cache is
# written by trusted jobs alone.
FOLDERS: dict[str, dict[str, Any]] = {
    "/srv/data/openclaw": {},
    "/srv/data/openclaw/artifacts": {"user": "psy"},
    "/srv/data/openclaw/clup": {},
    "/srv/data/openclaw/gw-admin": {"group": "gw-admin", "mode": "0750"},
    "/srv/data/openclaw/gw-admin/config": {"user": "gw-admin", "mode": "0700"},
    "/srv/data/openclaw/infra": {"group": "psy", "mode": "0750"},
    "/srv/data/openclaw/node-admin": {"mode": "0700"},
    "/srv/data/openclaw/repo": {"user": "psy"},
    "/srv/data/openclaw/runner": {},
    "/srv/data/openclaw/runner/audit": {"user": "claw-runner", "group": "psy", "mode": "2750"},
    "/srv/data/openclaw/runner/compose": {},
    "/srv/data/openclaw/runner/jobs": {},
    "/srv/data/openclaw/runner/keys": {},
    "/srv/data/openclaw/runner/ledger": {},
    "/srv/data/openclaw/runner/reports": {"user": "claw-runner", "group": "psy", "mode": "2750"},
    "/srv/data/openclaw/runner/state": {"user": "claw-runner", "mode": "0700"},
    "/srv/data/openclaw/runner/tokens": {},
    "/srv/data/openclaw/upstream-openclaw": {"user": "psy"},
    "/srv/cache/openclaw": {},
    "/srv/cache/openclaw/runner": {},
    "/srv/cache/openclaw/runner/gradle": {"user": "claw-trusted"},
    "/srv/cache/openclaw/runner/tmp": {"user": "claw-runner", "group": "psy", "mode": "2750"},
    "/srv/cache/openclaw/runner/work": {"user": "claw-runner", "group": "psy", "mode": "2750"},
}
"""The tree of the site."""


class Folder(Model):
    """One folder. What lies in it is never touched."""

    user: Name = "root"
    """Its owner."""
    group: Name | None = None
    """Its group; by default the one with its owner's name."""
    mode: Mode = "0755"
    """Its mode, four octal digits."""

    @property
    def owners(self) -> tuple[str, str]:
        """Its user and its group."""
        return self.user, self.group or self.user

    @property
    def is_shared(self) -> bool:
        """Whether its group may exchange what lies in it; the sticky bit keeps it from that."""
        return int(self.mode, 8) & 0o1020 == 0o0020


class Settings(Model):
    """The tree of folders on the mounted filesystems."""

    roots: tuple[AbsolutePath, ...] = ("/srv/data", "/srv/cache")
    """Mount points below which folders are declared. None is made while its disk is away."""
    folders: Annotated[dict[AbsolutePath, Folder], over(FOLDERS)] = Field(
        default=FOLDERS, validate_default=True
    )
    """Folders by path, merged over those of the site; None takes one of those away."""

    def root_of(self, path: str) -> str:
        """Given a path, return the innermost root above it; empty if there is none."""
        above = [root for root in self.roots if path.startswith(f"{root}/")]
        return max(above, key=len, default="")

    def ordered(self) -> list[tuple[str, Folder]]:
        """Return all folders, each after the one that it lies in."""
        return sorted(self.folders.items(), key=lambda item: PurePosixPath(item[0]).parts)

    @model_validator(mode="after")
    def _placed(self) -> Settings:
        if found := list(self._misplaced()):
            raise faults(found)
        return self

    def _misplaced(self) -> Iterator[tuple[tuple[str | int, ...], object, PydanticCustomError]]:
        for path, folder in self.folders.items():
            parent = str(PurePosixPath(path).parent)
            above = self.folders.get(parent)
            if not self.root_of(path):
                cure = f"move it below one of layout.roots: {', '.join(self.roots) or 'none yet'}"
                error = fault("lies below no mounted filesystem", cure)
            elif above is None and parent not in self.roots:
                cure = f"declare {parent} in layout.folders, with its owner and mode"
                error = fault("lies in a folder that is not declared", cure)
            elif above is not None and above.user not in ("root", folder.user):
                cure = f"give {parent} to root, or both to {above.user}"
                error = fault(f"lies in a folder of {above.user}, who could exchange it", cure)
            elif above is not None and above.is_shared:
                cure = f"give {parent} a mode whose third digit has no 2, or a first digit with a 1"
                error = fault(f"lies in {parent}, whose group could exchange it", cure)
            else:
                continue
            yield ("folders", path), path, error
