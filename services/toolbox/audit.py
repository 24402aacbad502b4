"""The job `audit`: lints a repository's shell and Python files, and looks for secrets.

With PARAM_LEVEL=high also in its history. What it finds are lines on stdout and
`findings.json`, never with the secret itself. It ends with 1 if there are any.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from services.toolbox.workspace import ARTIFACTS, repository

LARGE = 1 << 20
"""Bytes: no source text has as many, and a scan of it would take the job's time."""

SECRETS = {
    "a private key": rb"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "an AWS key id": rb"\bAKIA[0-9A-Z]{16}\b",
    "a GitHub token": rb"\bgh[pousr]_[A-Za-z0-9]{36}",
    "a password in quotes": rb"(?i)(?:password|passwd|secret|token|api_?key)['\"]?\s*[:=]\s*"
    rb"['\"][^'\"\s]{8,}['\"]",
}

# git reads nothing but objects here: no hook, filter or program of the repository's takes part.
_GIT = ("git", "-c", "safe.directory=*", "cat-file", "--batch-all-objects", "--batch")
_GIT_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_NO_LAZY_FETCH": "1",
}


def files(root: Path) -> Iterator[Path]:
    """Yield the files of a repository that may be read, without its history; follow no link."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - {".git"})
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= LARGE:
                yield path


def secrets(content: bytes) -> Iterator[tuple[int, str]]:
    """Given a file's content, yield the line and kind of what looks like a secret."""
    for what, pattern in SECRETS.items():
        for found in re.finditer(pattern, content):
            yield content.count(b"\n", 0, found.start()) + 1, what


def is_shell(path: Path, content: bytes) -> bool:
    """Whether a file is a script for a shell that shellcheck knows."""
    first = content.partition(b"\n")[0]
    return path.suffix == ".sh" or bool(re.match(rb"#!.*\b(?:ba|da|k)?sh\b", first))


def history(root: Path) -> Iterator[str]:
    """Yield what looks like a secret in any object of a repository's history."""
    if not (root / ".git").exists():
        return
    environment = os.environ | _GIT_ENVIRONMENT
    with subprocess.Popen(_GIT, cwd=root, env=environment, stdout=subprocess.PIPE) as git:
        assert git.stdout
        while header := git.stdout.readline().split():
            digest, kind, size = header[0].decode(), header[1], int(header[2])
            content = git.stdout.read(size + 1)[:-1]
            if kind == b"blob" and size <= LARGE:
                for line, what in secrets(content):
                    yield f"object {digest}, line {line}: {what}"
    if git.returncode:
        yield f"the history could not be read: git ended with {git.returncode}"


def linted(root: Path, words: Sequence[str], paths: Sequence[Path]) -> Iterator[str]:
    """Yield the lines that a linter has to say about files."""
    if paths:
        names = [str(path.relative_to(root)) for path in paths]
        done = subprocess.run([*words, *names], cwd=root, capture_output=True, check=False)
        yield from (done.stdout + done.stderr).decode(errors="replace").splitlines()


def findings(root: Path, deep: bool) -> Iterator[str]:
    """Yield all that is wrong with a repository, a line each."""
    shell, python = [], []
    for path in files(root):
        content = path.read_bytes()
        if is_shell(path, content):
            shell.append(path)
        if path.suffix == ".py":
            python.append(path)
        for line, what in secrets(content):
            yield f"{path.relative_to(root)}:{line}: {what}"
    yield from linted(root, ["shellcheck", "--norc", "--format=gcc", "--"], shell)
    yield from linted(root, ["python3", "-I", "-m", "pyflakes"], python)
    if deep:
        yield from history(root)


def main() -> int:
    """Audit the repository, and return the exit code."""
    found = list(findings(repository(), os.environ.get("PARAM_LEVEL") == "high"))
    for line in found:
        sys.stdout.write(f"{line}\n")
    (ARTIFACTS / "findings.json").write_text(json.dumps(found, indent=1) + "\n")
    sys.stdout.write(f"{len(found)} findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
