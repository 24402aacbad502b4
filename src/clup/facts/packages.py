"""Which Debian packages are installed, in one command."""

from __future__ import annotations

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script


class DebVersions(FactBase[dict[str, str]]):
    """Given package names, return the version of each that is installed and configured.

    A package that dpkg left half-installed (a cut run) is not in the result.
    """

    default = dict  # what no output means

    def command(self, names: tuple[str, ...]) -> StringCommand:
        return script(
            'dpkg-query -W -f "\\${db:Status-Status} \\${Package} \\${Version}\\n" -- "$@" '
            "2>/dev/null; true",
            *names,
        )

    def process(self, output: list[str]) -> dict[str, str]:
        rows = [line.split(" ", 2) for line in output]
        return {row[1]: row[2] for row in rows if len(row) == 3 and row[0] == "installed"}
