"""The job `verify`: `mvn verify` in a copy of a repository, offline, from the cache of `fill`.

The cache is read-only here: what Maven writes goes to a repository of the job's own, before it.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from services.toolbox.fill import CACHE
from services.toolbox.workspace import ARTIFACTS, COULD_NOT, copied, run


def words(own: Path) -> list[str]:
    """Return Maven's command, which writes to its `own` repository and reads the cache too."""
    return [
        "mvn",
        "--offline",
        "--batch-mode",
        "--no-transfer-progress",
        f"-Dmaven.repo.local={own}",
        f"-Dmaven.repo.local.tail={CACHE}",
        "verify",
    ]


def main() -> int:
    """Verify the project, keep what was made, and return Maven's exit code."""
    if not CACHE.is_dir():
        sys.stdout.write(f"{CACHE} is not there: run the trusted job `fill` once\n")
        return COULD_NOT
    source = copied()
    if code := run(words(Path.home() / "m2"), source):
        return code
    for path in sorted((source / "target").glob("*.jar")):
        shutil.copy(path, ARTIFACTS / path.name)
        sys.stdout.write(f"made {path.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
