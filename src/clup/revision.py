"""Which revision of this repository is applied, and whether it is older than another one."""

from __future__ import annotations

import subprocess
from pathlib import Path


def current(root: Path) -> str:
    """Return the commit that is checked out at `root`, with "+changes" when files differ from it.

    Return "unknown" outside a git checkout.
    """
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return "unknown"
    return commit + ("+changes" if _git(root, "status", "--porcelain") else "")


def objection(root: Path, last: str, now: str) -> str | None:
    """Given the revision last applied to a machine and the one at hand, say why not to apply it.

    None when the one at hand is the same, newer, or on a line of its own that contains no later
    one; a line of text when it is older, or when the last one is not known to this clone.
    """
    last, now = last.removesuffix("+changes"), now.removesuffix("+changes")
    if last == now or "unknown" in (last, now):
        return None
    if _git(root, "cat-file", "-e", f"{last}^{{commit}}") is None:
        return f"{last[:12]} was applied last, which this clone does not know"
    if _is_ancestor(root, now, last):
        return f"{last[:12]} was applied last, and {now[:12]} is older"
    return None


def _is_ancestor(root: Path, older: str, newer: str) -> bool:
    return _git(root, "merge-base", "--is-ancestor", older, newer) is not None


def _git(root: Path, *arguments: str) -> str | None:
    """Return git's output, or None when it ends with another status than 0 or is not there."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
