"""The job `fill`, a trusted one: fills the cache with the image's Maven repository.

Debian's packages keep one at /usr/share/maven-repo, of links into /usr/share/java. In the cache are
the files themselves, so that whoever reads it needs nothing else. What is there already stays.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

SOURCE = Path("/usr/share/maven-repo")
CACHE = Path("/cache/maven")


def filled(source: Path, target: Path) -> int:
    """Copy what is not in the cache yet, each file in one move; return how many were."""
    count = 0
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if not path.is_file() or place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f".{place.name}.{os.getpid()}")
        shutil.copyfile(path, draft)
        # What has its name stays: a cut of the power must not leave it empty.
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(place)
        count += 1
    return count


def main() -> int:
    """Fill the cache, and return the exit code."""
    sys.stdout.write(f"{filled(SOURCE, CACHE)} files were added to {CACHE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
