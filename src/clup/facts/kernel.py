"""The kernel's settings as they are in force, in one command."""

from __future__ import annotations

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script


class Sysctls(FactBase[dict[str, "str | None"]]):
    """Given dotted names, return the value of each, words with one space between.

    None stands for a setting that this kernel does not have.
    """

    def command(self, names: tuple[str, ...]) -> StringCommand:
        return script('for name; do echo "$name=$(sysctl -n -- "$name" 2>/dev/null)"; done', *names)

    def process(self, output: list[str]) -> dict[str, str | None]:
        pairs = (line.partition("=") for line in output)
        return {name: " ".join(value.split()) or None for name, _, value in pairs}
