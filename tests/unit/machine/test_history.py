"""What may be committed to the desired-state folder: decided by values, and git's hook for real."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from clup.machine.history import BIGGEST, objection, scan
from clup.operations.tree import _CONFIG, _HOOK, PROGRAMS, tree_files
from clup.stacks.spec import TREE

COMPOSE = b"""name: web
services:
  web:
    image: sha256:11
    environment:
      DOCKER_HOST: tcp://claw-socket-proxy:2375
      RUNNER_KEY_FILE: /run/secrets/key
      MAX_TOKENS: "4096"
secrets:
  key: {file: /srv/data/openclaw/runner/key}
"""


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("runner/compose/docker-compose.yml", COMPOSE),
        ("runner/jobs/audit.yaml", b"job: audit\n"),
        ("infra/environment.md", b"said in words\n"),
        ("gw-admin/docker-compose.yml", COMPOSE),
        ("web/index.html", b"<p>hello</p>\n"),
        ("web/keys.md", b"where the keys are\n"),
    ],
)
def test_what_belongs_there(path: str, data: bytes) -> None:
    assert objection(path, "100644", data) == ""


@pytest.mark.parametrize(
    ("path", "data", "words"),
    [
        (".env", b"A=b", "environment variables"),
        ("infra/.env.production", b"A=b", "environment variables"),
        ("web/prod.env", b"A=b", "environment variables"),
        ("WEB/.ENV", b"A=b", "environment variables"),
        ("gw-admin/config/devices/paired.json", b"{}", "the state of a gateway"),
        ("gw-sales/config", b"{}", "the state of a gateway"),
        ("runner/audit/head", b"x", "the state of the runner"),
        ("runner/state/jobs.sqlite", b"x", "the state of the runner"),
        ("infra/postgres/data/x", b"x", "a database's"),
        ("infra/db/PG_VERSION", b"17", "a database's"),
        ("infra/base/16384/2619", b"x", "a database's"),
        ("runner/jobs.db-wal", b"x", "a database's"),
        ("infra/redis/dump.rdb", b"x", "a database's"),
        ("web/tls.key", b"x", "a key"),
        ("web/id_ed25519", b"x", "a key of ssh's"),
        ("web/.netrc", b"x", "credentials"),
        ("web/admin-token", b"x", "a secret by its name"),
        ("web/secrets.yaml", b"x", "a secret by its name"),
        ("web/blob", b"a\0b", "is no text"),
        ("web/large", b"a" * (BIGGEST + 1), "is larger"),
        ("web/x", b"-----BEGIN RSA PRIVATE KEY-----", "a private key"),
        ("web/x", b"url: postgres://u:swordfish@db/x", "a password in an address"),
        ("web/x", b"export API_KEY=swordfish", "gives API_KEY a value"),
        ("web/x", b"  - DB_PASSWORD: 'swordfish'", "gives DB_PASSWORD a value"),
        ("web/x", b'{"id": 1, "password": "swordfish"}', "gives password a value"),
        ("web/x", b'{\n"client_secret": "swordfish"}', "gives client_secret a value"),
    ],
)
def test_what_does_not(path: str, data: bytes, words: str) -> None:
    assert words in objection(path, "100644", data)


@pytest.mark.parametrize("mode", ["120000", "160000"])
def test_only_plain_files(mode: str) -> None:
    assert objection("web/x", mode, b"/etc/shadow") == "is no plain file"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a repository with clup's configuration and hook, of which the paths are its own."""
    tree, programs = tmp_path / "tree", tmp_path / "programs"
    subprocess.run(["git", "init", "-q", "--template=", str(tree)], check=True)
    for file in tree_files():
        path = Path(file.path.replace(PROGRAMS, str(programs)).replace(TREE, str(tree)))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content.replace(PROGRAMS, str(programs)).replace(TREE, str(tree)))
        path.chmod(int(file.mode, 8))
    return tree


def git(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    who = ("-c", "user.name=x", "-c", "user.email=x@y")
    argv = ["git", *who, "-C", str(tree), *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def test_every_way_to_a_commit_goes_past_the_hook(tree: Path) -> None:
    assert _HOOK.startswith("#!/bin/sh\n")
    assert "hooksPath" in _CONFIG
    (tree / "good").write_text("fine")
    git(tree, "add", "good")
    assert git(tree, "commit", "-qm", "good").returncode == 0
    head = git(tree, "rev-parse", "HEAD").stdout
    (tree / ".env").write_text("MODE=1")
    git(tree, "add", "-f", ".env")
    made = git(tree, "write-tree").stdout.strip()
    bad = git(tree, "commit-tree", "-p", "HEAD", "-m", "x", made).stdout.strip()
    for words in (
        ["commit", "--no-verify", "-m", "x"],
        ["commit", "--no-verify", "--amend", "-m", "x"],
        ["stash"],
        ["update-ref", "refs/heads/other", bad],
        ["branch", "other", bad],
        ["tag", "x", bad],
        ["reset", "--soft", bad],
        ["checkout", "-q", "--detach", bad],
    ):
        done = git(tree, *words)
        assert done.returncode != 0, words
        assert ".env in commit" in done.stderr, (words, done.stderr)
    assert git(tree, "rev-parse", "HEAD").stdout == head
    assert scan(str(tree)) == []
    # It is later taken out again, and so only in the history.
    git(tree, "-c", "core.hooksPath=/nowhere", "commit", "-qm", "leak")
    git(tree, "rm", "-q", "--cached", ".env")
    assert git(tree, "commit", "-qm", "out").returncode == 0
    assert [line.split(" in commit ")[0] for line in scan(str(tree))] == [".env"]


def test_a_history_is_read_as_a_whole(tree: Path) -> None:
    """Of a merge, of a file that was changed and changed back, and of one that is very large."""

    def leak(name: str, data: bytes) -> None:
        (tree / name).write_bytes(data)
        git(tree, "add", "-f", name)
        git(tree, "-c", "core.hooksPath=/nowhere", "commit", "-qm", name)

    leak("a b", b"fine")
    first = git(tree, "branch", "--show-current").stdout.strip()
    git(tree, "checkout", "-qb", "other")
    leak("a b", b"API_KEY=swordfish\n\0\n")
    leak("a b", b"fine")
    git(tree, "checkout", "-q", first)
    leak("large", b"a" * (BIGGEST + 1))
    git(tree, "-c", "core.hooksPath=/nowhere", "merge", "-q", "-m", "x", "other")
    found = [(line.split(" in commit ")[0], line.split(" ", 4)[-1]) for line in scan(str(tree))]
    assert sorted(path for path, _ in found) == ["a b", "large"]
