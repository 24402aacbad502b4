"""Read what each folder is, whose, and with which mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clup.checks import APPLY, Result, expect, read
from clup.facts.paths import Paths, PathState
from roles.layout.settings import Settings

if TYPE_CHECKING:
    from testinfra.host import Host


def checks(host: Host, settings: Settings) -> Iterator[Result]:
    """Compare the folders on the machine with the declared ones."""
    states = read(host, Paths, tuple(settings.folders))
    for path, folder in settings.ordered():
        user, group = folder.owners
        wanted = f"{folder.mode} {user}:{group}"
        yield expect(f"layout: {path} is {wanted}", wanted, shown(states[path]), APPLY)


def shown(state: PathState | None) -> str:
    """Return a folder's mode and owners as `0750 user:group`, or what is there instead."""
    if state is None:
        return "nothing"
    if state.kind != "directory":
        return f"a {state.kind}"
    return f"{state.mode} {state.user}:{state.group}"
