"""The kernel's own firewall rules."""

from __future__ import annotations

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script


class Table(FactBase[list[str]]):
    """Given a table of nftables by family and name, return its lines as nft lists them.

    They are without the blanks before them; [] where there is no such table, or no nft.
    """

    default = list

    def command(self, family: str, table: str) -> StringCommand:
        return script('nft list table "$1" "$2" 2>/dev/null || true', family, table)

    def process(self, output: list[str]) -> list[str]:
        return [line.strip() for line in output if line.strip()]
