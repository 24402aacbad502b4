"""The state of several systemd units in one command."""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import sh

_PROPERTIES = ("Id", "LoadState", "ActiveState", "UnitFileState")


@dataclass(frozen=True)
class UnitState:
    """systemd's view of one unit, in the words of `systemctl show` (org.freedesktop.systemd1)."""

    load: str
    active: str
    enabled: str


class Units(FactBase[dict[str, UnitState]]):
    """Given unit names with their suffix, return the state of each by the name asked for."""

    def command(self, names: tuple[str, ...]) -> StringCommand:
        return sh("systemctl", "show", "--no-pager", f"--property={','.join(_PROPERTIES)}", *names)

    def process(self, output: list[str]) -> dict[str, UnitState]:
        states: dict[str, UnitState] = {}
        shown: dict[str, str] = {}
        for line in [*output, ""]:
            key, found, value = line.partition("=")
            if found:
                shown[key] = value
            elif shown:
                states[shown["Id"]] = UnitState(
                    load=shown.get("LoadState", ""),
                    active=shown.get("ActiveState", ""),
                    enabled=shown.get("UnitFileState", ""),
                )
                shown = {}
        return states
