"""The site: its roles in the order in which they converge, and their settings as one whole.

The command line finds settings, tasks and checks through `ROLES`, never by a role's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import roles.accounts.settings
import roles.base.settings
import roles.engine.settings
import roles.layout.settings
import roles.runner.settings
import roles.stacks.settings
import roles.storage.settings
from clup.managed import Thing
from clup.settings import Model, Problem
from roles.relations import problems

if TYPE_CHECKING:
    from testinfra.host import Host

    from clup.checks import Result
    from clup.found import Found, Note
    from clup.stacks.spec import Spec


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
    stacks: roles.stacks.settings.Settings
    """The desired-state folder, and compose stacks of one's own."""
    runner: roles.runner.settings.Settings
    """The job runner behind its guard."""

    @classmethod
    def relations(cls, parts: Mapping[str, Any]) -> list[Problem]:
        """Return what is wrong between roles whose own settings are valid, with the files of the
        project that these settings lead to, and with the stacks that they ask for, rendered."""
        return [*problems(parts), *_file_problems(parts), *_stack_problems(parts)]


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
        yield from read(host, getattr(settings, self.name))
        if specs := self.stacks(getattr(settings, self.name)):
            from clup.stacks.checks import checks

            every = [
                spec.name for role in ROLES for spec in role.stacks(getattr(settings, role.name))
            ]
            yield from checks(host, self.name, specs, every)

    def found(self, host: Host, settings: Settings) -> Iterator[Found | Note]:
        """Read the running machine and say it in the role's settings, given those there are."""
        said: Callable[[Host, Any], Iterator[Found | Note]] = self._part("found").found
        return said(host, getattr(settings, self.name))

    def managed(self, settings: Settings) -> Iterator[Thing]:
        """Return what the role manages by its slice of the settings."""
        named: Callable[[Any], Iterator[Thing]] = self._part("managed").managed
        yield from named(getattr(settings, self.name))
        for spec in self.stacks(getattr(settings, self.name)):
            yield Thing("stack", spec.name)

    def stacks(self, own: Any) -> list[Spec]:
        """Given the role's own settings, return the stacks that they ask for; [] for a role that
        has none. Nothing is rendered by it."""
        if not self._has("stacks"):
            return []
        said: Callable[[Any], Iterator[Spec]] = self._part("stacks").stacks
        return list(said(own))

    def problems(self, own: Any) -> list[Problem]:
        """Given the role's own settings, return what is wrong with the files that they lead to; []
        for a role that has none."""
        if not self._has("problems"):
            return []
        said: Callable[[Any], Iterator[Problem]] = self._part("problems").problems
        return list(said(own))

    def _has(self, part: str) -> bool:
        return find_spec(f"roles.{self.name}.{part}") is not None

    def _part(self, part: str) -> Any:
        return import_module(f"roles.{self.name}.{part}")


def _file_problems(parts: Mapping[str, Any]) -> list[Problem]:
    """Given the valid settings by role, return what is wrong with the files they lead to."""
    return [
        each for role in ROLES if role.name in parts for each in role.problems(parts[role.name])
    ]


def _stack_problems(parts: Mapping[str, Any]) -> list[Problem]:
    """Given the valid settings by role, return what is wrong with the stacks they ask for."""
    specs = [spec for role in ROLES if role.name in parts for spec in role.stacks(parts[role.name])]
    if not specs:
        return []
    # Only a site with stacks pays for what renders and judges them.
    from clup.stacks.judged import problems

    return problems(specs)


ROLES = tuple(Role(name) for name in Settings.model_fields)
