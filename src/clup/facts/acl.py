"""Who else may write what is made in a folder: its default access control list."""

from __future__ import annotations

import json

from pyinfra.api.command import StringCommand
from pyinfra.api.facts import FactBase

from clup.command import script

# Python alone reads it, without further packages. An entry has tag, permissions and
# id, little-endian, after a version of four bytes (linux/posix_acl_xattr.h); 2 is a user by id.
_READ = """if ! command -v python3 >/dev/null; then echo '[]'; exit; fi
exec python3 -I -c '
import json, os, struct, sys
try:
    said = os.getxattr(sys.argv[1], "system.posix_acl_default")[4:]
except OSError:
    said = b""
print(json.dumps([who for tag, may, who in struct.iter_unpack("<HHI", said)
                  if (tag, may) == (2, 7)]))' "$1"
"""


class DefaultWriters(FactBase[list[int]]):
    """Given a folder, return the ids of the users who may do all in the folders made in it."""

    default = list

    def command(self, folder: str) -> StringCommand:
        return script(_READ, folder)

    def process(self, output: list[str]) -> list[int]:
        return list(json.loads(output[-1]))
