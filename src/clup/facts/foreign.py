"""What lies in a folder and was not put there by the one account whose files belong there."""

from __future__ import annotations

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script

# Hidden files and backups are passed over, as whoever reads such a folder does. $1 the folder,
# $2 the owner's id, $3 a pattern of names.
FIND = r"""foreign() {
  [ -d "$1" ] || return 0
  where=$1 owner=$2 names=$3
  shift 3
  find "$where" -mindepth 1 -maxdepth 1 -name "$names" \
    ! -name '.*' ! -name '*.bak.*' ! -name '*~' \
    ! \( -type f -uid "$owner" ! -perm /022 \) "$@"
}
"""


class Foreign(FactBase[list[str]]):
    """Given a folder, an account's id and a pattern of names, return those names in it of what is
    no file of that account's, or writable by others.

    A line break in a name is a question mark here.
    """

    default = list

    def command(self, folder: str, owner: int = 0, names: str = "*") -> StringCommand:
        listed = f"{FIND}foreign \"$@\" -printf '%f\\0' | tr '\\n\\0' '?\\n'"
        return script(listed, folder, str(owner), names)

    def process(self, output: list[str]) -> list[str]:
        return sorted(line for line in output if line)
