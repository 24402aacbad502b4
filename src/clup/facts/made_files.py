"""Files whose content is made on the machine and read there alone: keys, tokens, ledgers."""

from __future__ import annotations

from dataclasses import dataclass

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script
from clup.facts.paths import PathState, state_of
from clup.facts.reading import whole

# A key is one line; of what is in a file no more is told than whether it is one.
_READ = """for path; do
  if [ ! -e "$path" ] && [ ! -L "$path" ]; then echo "absent $path"; continue; fi
  state=$(stat -c '%f %U %G' -- "$path") || exit 1
  key=no
  if [ -f "$path" ] && [ ! -L "$path" ] && [ "$(wc -l <"$path")" -le 1 ] &&
    LC_ALL=C grep -Eqx '[A-Za-z0-9_-]{32,128}' -- "$path"; then key=yes; fi
  echo "there $key $state $path"
done
echo end
"""


@dataclass(frozen=True)
class MadeState:
    """What is at a path, and whether it is a file with a key: 32 to 128 letters, digits, _, -."""

    path: PathState
    is_key: bool


class MadeFiles(FactBase[dict[str, "MadeState | None"]]):
    """Given paths, return how each is, None for what is not there. No content leaves the machine,
    nor a digest of it."""

    default = dict

    def command(self, paths: tuple[str, ...]) -> StringCommand:
        return script(_READ, *paths)

    def process(self, output: list[str]) -> dict[str, MadeState | None]:
        states: dict[str, MadeState | None] = {}
        for line in whole(output, "the files that are made on the machine"):
            word, rest = line.split(" ", 1)
            if word == "absent":
                states[rest] = None
            else:
                key, bits, user, group, path = rest.split(" ", 4)
                states[path] = MadeState(state_of(bits, user, group), key == "yes")
        return states
