"""Which Debian packages are installed, and where apt takes them from, in one command each."""

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


class AptSources(FactBase[list[str]]):
    """Given a repository's address, return the files of apt that name it together with a key."""

    default = list

    def command(self, url: str) -> StringCommand:
        return script(
            "for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list "
            "/etc/apt/sources.list.d/*.sources; do "
            '[ -f "$file" ] && grep -v \'^[[:space:]]*#\' -- "$file" | grep -qF -- "$1" && '
            "grep -v '^[[:space:]]*#' -- \"$file\" | grep -qi 'signed-by' && echo \"$file\"; "
            "done; true",
            url,
        )

    def process(self, output: list[str]) -> list[str]:
        return output
