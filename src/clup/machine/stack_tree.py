"""Commits in the desired-state folder: one for each run that changed something there."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from clup.machine.process import run

RUN = "Clup-Run"
"""The trailer that names a run: its next commit is made part of its last one."""


def git(tree: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run git in the desired-state folder; root's own configuration of git does not count."""
    return run(
        "git", "-C", tree, *words, seconds=120,
        GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1", HOME="/nonexistent",
    )  # fmt: skip


def commit(tree: str, paths: Sequence[str], who: str, revision: str, number: str) -> str:
    """Commit how some files below the folder are now, also that they are gone.

    `who` runs, from which `revision`, and the run's `number`. Return why not, "" when it is done or
    there was nothing to commit.
    """
    # What somebody has staged by hand stays in the folder, and is no part of this commit.
    git(tree, "reset", "--quiet")
    there = [path for path in paths if Path(path).exists()]
    if there:
        done = git(tree, "add", "--force", "--", *there)
        if done.returncode != 0:
            return _why(done)
    if gone := [path for path in paths if path not in there]:
        git(tree, "rm", "--quiet", "--cached", "--ignore-unmatch", "--", *gone)
    if git(tree, "diff", "--cached", "--quiet").returncode == 0:
        return ""
    name, _, machine = who.partition("@")
    identity = ["-c", f"user.name={name}", "-c", f"user.email={who if machine else f'{who}@'}"]
    last = git(tree, "log", "-1", f"--format=%(trailers:key={RUN},valueonly)").stdout.strip()
    subject = f"Apply {revision} as {who}"
    words = (
        ["--amend", "--no-edit"] if last == number else ["-m", subject, "-m", f"{RUN}: {number}"]
    )
    done = git(tree, *identity, "commit", "--quiet", *words)
    return "" if done.returncode == 0 else _why(done)


def _why(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return " | ".join(lines[-4:]) or f"git ended with {done.returncode}"
