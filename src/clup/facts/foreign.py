"""What lies in a folder of root's and was not put there by root alone."""

from __future__ import annotations

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script

# Hidden files and backups are passed over, as whoever reads such a folder does. $1 the folder.
FIND = r"""foreign() {
  [ -d "$1" ] || return 0
  where=$1
  shift
  find "$where" -mindepth 1 -maxdepth 1 ! -name '.*' ! -name '*.bak.*' ! -name '*~' \
    ! \( -type f -user root ! -perm /022 \) "$@"
}
"""


class Foreign(FactBase[list[str]]):
    """Given a folder, return the names in it of what is no file of root's, or writable by others.

    A line break in a name is a question mark here.
    """

    default = list

    def command(self, folder: str) -> StringCommand:
        return script(f"{FIND}foreign \"$1\" -printf '%f\\0' | tr '\\n\\0' '?\\n'", folder)

    def process(self, output: list[str]) -> list[str]:
        return sorted(line for line in output if line)
