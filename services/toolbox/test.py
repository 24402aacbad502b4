"""The job `test`: pytest in a copy of a repository; its report is the artifact `junit.xml`."""

from __future__ import annotations

import sys

from services.toolbox.workspace import ARTIFACTS, copied, run

_PYTEST = ("python3", "-m", "pytest", "-p", "no:cacheprovider")


def main() -> int:
    """Run the tests, and return pytest's exit code."""
    return run([*_PYTEST, f"--junitxml={ARTIFACTS / 'junit.xml'}"], copied())


if __name__ == "__main__":
    sys.exit(main())
