"""The job `build`: `make` in a copy of a repository; the programs that it made are artifacts.

PARAM_TARGET says what is made, `all` by default.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from services.toolbox.workspace import ARTIFACTS, COULD_NOT, copied, run


def programs(folder: Path) -> set[Path]:
    """Return the programs below a folder: files of ELF's form that may be run."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and os.access(path, os.X_OK):
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    found.add(path)
    return found


def main() -> int:
    """Build, keep what was made, and return the exit code."""
    source = copied()
    before = programs(source)
    if code := run(["make", os.environ.get("PARAM_TARGET", "all")], source):
        return code
    made = sorted(programs(source) - before)
    for path in made:
        shutil.copy(path, ARTIFACTS / path.name)
        sys.stdout.write(f"made {path.relative_to(source)}\n")
    if not made:
        sys.stdout.write("make ended well, and made no program\n")
        return COULD_NOT
    return 0


if __name__ == "__main__":
    sys.exit(main())
