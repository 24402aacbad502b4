"""The programs of the example jobs, as far as they decide something."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from services.toolbox import audit, build, fill, test, verify

KEY = b"-----BEGIN OPENSSH PRIVATE " + b"KEY-----\n"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (KEY, [(1, "a private key")]),
        (b"\nid = AKIA" + b"ABCDEFGHIJKLMNOP\n", [(2, "an AWS key id")]),
        (b"ghp_" + b"a" * 36, [(1, "a GitHub token")]),
        (b"DB_PASSWORD = 'swordfish-1'", [(1, "a password in quotes")]),
        (b'{"api_key": "0123456789"}', [(1, "a password in quotes")]),
        (b"password = ask()\ntoken = ''\nsecret: 'short'", []),
    ],
)
def test_what_looks_like_a_secret(content: bytes, found: list[tuple[int, str]]) -> None:
    assert list(audit.secrets(content)) == found


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.sh", b"", True),
        ("run", b"#!/bin/sh -eu\n", True),
        ("run", b"#!/usr/bin/env bash\n", True),
        ("run", b"#!/usr/bin/python3\n", False),
        ("a.txt", b"sh", False),
    ],
)
def test_what_is_a_shell_script(name: str, content: bytes, expected: bool) -> None:
    assert audit.is_shell(Path(name), content) is expected


def test_a_secret_that_was_removed_is_in_the_history(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@y"]
    for change in (KEY, b"gone\n"):
        (tmp_path / "key").write_bytes(change)
        for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
            subprocess.run([*git, *words], check=True, capture_output=True)
    [line] = audit.history(tmp_path)
    assert line.endswith("line 1: a private key")
    assert [each.name for each in audit.files(tmp_path)] == ["key"]


def test_links_and_large_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "large").write_bytes(b"x" * (audit.LARGE + 1))
    (tmp_path / "a").write_bytes(b"x")
    assert [each.name for each in audit.files(tmp_path)] == ["a"]


def test_programs_are_what_may_be_run_and_is_elf(tmp_path: Path) -> None:
    for name, content, mode in (
        ("made", b"\x7fELF...", 0o755),
        ("script", b"#!/bin/sh", 0o755),
        ("object.o", b"\x7fELF...", 0o644),
    ):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(mode)
    (tmp_path / "link").symlink_to("made")
    assert [each.name for each in build.programs(tmp_path)] == ["made"]


def test_the_cache_is_filled_once_with_files_in_the_place_of_links(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "cache"
    (source / "org").mkdir(parents=True)
    (tmp_path / "a.jar").write_bytes(b"jar")
    (source / "org/a.jar").symlink_to(tmp_path / "a.jar")
    (source / "org/lost.jar").symlink_to(tmp_path / "nowhere")
    assert (fill.filled(source, target), fill.filled(source, target)) == (1, 0)
    assert [each.name for each in (target / "org").iterdir()] == ["a.jar"]
    assert not (target / "org/a.jar").is_symlink()


def test_a_file_is_on_the_disk_before_it_has_its_name_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "cache"
    source.mkdir()
    (source / "a.jar").write_bytes(b"jar")
    synced = []

    def fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        synced.append((path.name, path.read_bytes(), (target / "a.jar").exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    assert fill.filled(source, target) == 1
    assert synced == [(f".a.jar.{os.getpid()}", b"jar", False)]


def test_maven_writes_beside_the_cache() -> None:
    words = verify.words(Path("/work/home/m2"))
    assert "--offline" in words
    assert "-Dmaven.repo.local=/work/home/m2" in words
    assert "-Dmaven.repo.local.tail=/cache/maven" in words


@pytest.mark.parametrize("program", [audit, build, test, verify])
def test_a_repository_that_is_not_there_is_never_found_sound(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARAM_REPOSITORY", "/repo/helo")
    monkeypatch.setattr(verify, "CACHE", Path("/"))
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 2
    assert "there is no repository 'helo'; correct repository=" in capsys.readouterr().err
