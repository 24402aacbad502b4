"""The site: its roles in the order in which they converge, and their settings as one whole.

The command line finds settings, tasks and checks through `ROLES`, never by a role's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import roles.accounts.settings
import roles.base.settings
import roles.engine.settings
import roles.layout.settings
import roles.storage.settings
from clup.managed import Thing
from clup.settings import Model, Problem
from roles.relations import problems

if TYPE_CHECKING:
    from testinfra.host import Host

    from clup.checks import Result
    from clup.found import Found, Note


class Settings(Model):
    """Everything that `group_data` says about one machine, role by role."""

    base: roles.base.settings.Settings
    """The machine itself: name, clock, locale, packages, journal, kernel, sshd."""
    storage: roles.storage.settings.Settings
    """Its labelled filesystems and where they are mounted."""
    engine: roles.engine.settings.Settings
    """Docker Engine and Compose."""
    accounts: roles.accounts.settings.Settings
    """Users and groups with fixed ids."""
    layout: roles.layout.settings.Settings
    """The tree of folders on the mounted filesystems."""

    @classmethod
    def relations(cls, parts: Mapping[str, Any]) -> list[Problem]:
        """Return what is wrong between roles whose own settings are valid."""
        return problems(parts)


@dataclass(frozen=True)
class Role:
    """One room of the house. Tasks and checks are imported when they are first called."""

    name: str

    def converge(self, settings: Settings) -> None:
        """Call the role's operations with its slice of the settings, within a deploy."""
        self._part("tasks").converge(getattr(settings, self.name))

    def checks(self, host: Host, settings: Settings) -> Iterator[Result]:
        """Read the running machine and compare it with the role's slice of the settings."""
        read: Callable[[Host, Any], Iterator[Result]] = self._part("checks").checks
        return read(host, getattr(settings, self.name))

    def found(self, host: Host, settings: Settings) -> Iterator[Found | Note]:
        """Read the running machine and say it in the role's settings, given those there are."""
        said: Callable[[Host, Any], Iterator[Found | Note]] = self._part("found").found
        return said(host, getattr(settings, self.name))

    def managed(self, settings: Settings) -> Iterator[Thing]:
        """Return what the role manages by its slice of the settings."""
        named: Callable[[Any], Iterator[Thing]] = self._part("managed").managed
        return named(getattr(settings, self.name))

    def _part(self, part: str) -> Any:
        return import_module(f"roles.{self.name}.{part}")


ROLES = tuple(Role(name) for name in Settings.model_fields)
