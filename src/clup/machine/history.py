"""What may not be in the history of the desired-state folder: judged before, and after.

`main` is git's hook reference-transaction: whatever command makes or moves a reference, with
whatever options, its commits are judged before the reference moves. `scan` reads all there is.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence

from clup.compose.secret import named_secret, secret_in

BIGGEST = 1 << 20
"""Bytes: no file of a stack is larger."""

# Each with what such a path is. Paths are relative to the folder, and compared in lower case.
_PATHS = {
    r"(.*/)?([^/]*\.)?env(\.[^/]*)?": "a file of environment variables",
    r"gw-[^/]+/config(/.*)?": "the state of a gateway",
    r"runner/(audit|cache|gradle|keys|ledger|reports|state|tmp|tokens|work)(/.*)?":
        "the state of the runner",
    r"(.*/)?(pg_version|pgdata/.*|pg_wal/.*|base/\d+/.*|postgres[^/]*/data/.*)": "a database's",
    r"(.*/)?[^/]*\.(db|sqlite3?|rdb|aof|mdb|wal)(-[^/]*)?": "a database's",
    r"(.*/)?[^/]*\.(pem|key|p12|pfx|jks|keystore|kdbx|gpg|asc|crt)": "a key or certificate",
    r"(.*/)?(id_(rsa|dsa|ecdsa|ed25519)[^/]*|known_hosts|authorized_keys)": "a key of ssh's",
    r"(.*/)?(\.netrc|\.pgpass|\.npmrc|\.pypirc|\.git-credentials|\.htpasswd|\.ssh/.*|\.docker/.*)":
        "somebody's credentials",
    r"(.*/)?[^/]*(credential|password|passwd|secret|token)s?(\.(txt|json|ya?ml|toml|ini))?":
        "a secret by its name",
}  # fmt: skip
_KNOWN = {re.compile(pattern): what for pattern, what in _PATHS.items()}

# KEY=VALUE or KEY: VALUE, as in a file of variables, YAML or JSON.
_PAIR = re.compile(
    r"""(?m)(?:^|[\s{,"'])([A-Za-z_][A-Za-z0-9_]*)["']?"""
    r"""[ \t]*[=:][ \t]*["']?([^"'\s,#{}\[\]|>&*]+)"""
)


def objection(path: str, mode: str, data: bytes) -> str:
    """Given a file's path, its mode as git has it and its content, say why it may not be committed.

    Return "" where it may.
    """
    plain = path.lower()
    for pattern, what in _KNOWN.items():
        if pattern.fullmatch(plain):
            return f"is {what}"
    if mode not in ("100644", "100755"):
        return "is no plain file"
    if len(data) > BIGGEST:
        return "is larger than any file of a stack"
    if b"\0" in data:
        return "is no text"
    text = data.decode(errors="replace")
    if made := secret_in(text):
        return f"holds what looks like {made}"
    for name, value in _PAIR.findall(text):
        if named_secret(name, value):
            return f"gives {name} a value"
    return ""


def scan(tree: str) -> list[str]:
    """Return what is in the history of a folder and should not be, a line each.

    All that some reference or the reference log leads to is read.
    """
    commits = _git(tree, "rev-list", "--all", "--reflog").split()
    return objections(tree, commits)


def objections(tree: str, commits: Iterable[str]) -> list[str]:
    """Return a line for each file that these commits bring in and may not be there, once each.

    What a commit has from an earlier one is that one's.
    """
    brought = _brought(tree, "".join(f"{commit}\n" for commit in commits))
    data = _contents(tree, sorted({blob for _, blob, _ in brought}))
    found = []
    for (mode, blob, path), commit in brought.items():
        if why := objection(path, mode, data.get(blob, b"")):
            found.append(f"{path} in commit {commit[:12]} {why}")
    return found


def _brought(tree: str, commits: str) -> dict[tuple[str, str, str], str]:
    """Given commits, a line each, return mode, blob and path of each file, with a commit of it."""
    options = ("-r", "-m", "--root", "--no-renames", "--diff-filter=AMT", "-z")
    words = _git(tree, "diff-tree", "--stdin", *options, given=commits).split("\0")
    found: dict[tuple[str, str, str], str] = {}
    commit = ""
    rest = iter(words)
    for word in rest:
        if not word.startswith(":"):
            commit = word
            continue
        _, mode, _, blob, _ = word.split(" ")
        found.setdefault((mode, blob, next(rest)), commit)
    return found


def _contents(tree: str, blobs: Sequence[str]) -> dict[str, bytes]:
    """Return what blobs hold, by their ids; of one that is too large, zeros that are, too."""
    listed = _git(tree, "cat-file", "--batch-check", given="".join(f"{each}\n" for each in blobs))
    data: dict[str, bytes] = {}
    small = []
    for row in listed.splitlines():
        blob, kind, size = f"{row} 0".split(" ")[:3]
        if kind == "blob" and int(size) > BIGGEST:
            data[blob] = bytes(BIGGEST + 1)
        elif kind == "blob":
            small.append(blob)
    rest = _bytes(tree, "cat-file", "--batch", given="".join(f"{each}\n" for each in small))
    while rest:
        header, _, rest = rest.partition(b"\n")
        blob, _, size = header.decode().split(" ")
        data[blob], rest = rest[: int(size)], rest[int(size) + 1 :]
    return data


def new_commits(tree: str, lines: Iterable[str]) -> list[str]:
    """Given what git tells the hook, OLD NEW REFERENCE a line, return the commits that come in."""
    objects = {new for line in lines for _, new, _ in [line.split(maxsplit=2)] if new.strip("0")}
    # A symbolic reference is told as ref:NAME, and leads to what has its own line.
    tips = sorted(each for each in objects if not each.startswith("ref:"))
    if not tips:
        return []
    return _git(tree, "rev-list", *tips, "--not", "--all").split()


def _bytes(tree: str, *words: str, given: str = "") -> bytes:
    done = subprocess.run(
        ["git", "-C", tree, *words],
        input=given.encode(errors="surrogateescape"), capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise OSError(f"git {words[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def _git(tree: str, *words: str, given: str = "") -> str:
    return _bytes(tree, *words, given=given).decode(errors="surrogateescape")


def main(words: Sequence[str]) -> int:
    """Judge what a transaction of references brings in; another status than 0 ends it."""
    if words[:1] != ["prepared"]:
        return 0
    try:
        found = objections(".", new_commits(".", sys.stdin))
    except (OSError, ValueError) as error:
        found = [f"nothing could be judged: {error}"]
    for line in found:
        print_line(f"refused: {line}")
    if found:
        print_line("take it out of the commit (git rm --cached PATH); nothing was committed")
    return 1 if found else 0


def print_line(line: str) -> None:
    """Tell whoever runs git."""
    sys.stderr.write(f"{line}\n")


def answer(words: Sequence[str]) -> None:
    """Print the scan of a folder as JSON, for a fact."""
    sys.stdout.write(json.dumps(scan(words[0])) + "\n")


if __name__ == "__main__":
    answer(sys.argv[1:])
