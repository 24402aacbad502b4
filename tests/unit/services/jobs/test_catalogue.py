from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.jobs import Catalogue, read_folder
from tests.unit.services.jobs.clean import written


def put(folder: Path, name: str, text: str | None = None) -> Path:
    path = folder / name
    path.write_text(text if text is not None else written({"job": path.stem}))
    return path


def test_a_file_is_a_job_and_a_broken_one_is_none(tmp_path: Path) -> None:
    put(tmp_path, "audit.yaml")
    put(tmp_path, "build.yaml", "job: build")
    for ignored in (".hidden.yaml", "audit.yaml~", "audit.yaml.bak.20261121T000000Z"):
        put(tmp_path, ignored, "nothing")
    found = read_folder(tmp_path)
    assert list(found.jobs) == ["audit"]
    assert {problem.origin for problem in found.problems} == {f"{tmp_path}/build.yaml, line 1"}


def test_what_is_no_job_file_is_told(tmp_path: Path) -> None:
    put(tmp_path, "audit.yml")
    put(tmp_path, "large.yaml", "#" * 70_000)
    put(tmp_path, "Big.yaml")
    (tmp_path / "bytes.yaml").write_bytes(b"job: \xff")
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "audit.yml")
    found = read_folder(tmp_path)
    assert found.jobs == {}
    assert {Path(p.origin.split(",")[0]).name: p.reason for p in found.problems} == {
        "audit.yml": "is no job file",
        "large.yaml": "has more than 65536 bytes",
        "Big.yaml": "is no job's name",
        "bytes.yaml": "is not UTF-8 (byte 5)",
        "folder.yaml": "is no regular file",
        "pipe.yaml": "is no regular file",
        "link.yaml": "cannot be read: Too many levels of symbolic links",
    }


def test_a_file_that_others_can_write_is_no_job(tmp_path: Path) -> None:
    me = os.getuid()
    tmp_path.chmod(0o755)
    put(tmp_path, "audit.yaml").chmod(0o644)
    assert list(read_folder(tmp_path, owner=me).jobs) == ["audit"]
    put(tmp_path, "audit.yaml").chmod(0o664)
    found = read_folder(tmp_path, owner=me)
    assert found.jobs == {}
    assert "is writable by others (mode 0664); chmod go-w" in str(found.problems[0])
    put(tmp_path, "audit.yaml").chmod(0o644)
    found = read_folder(tmp_path, owner=me + 1)
    assert [f"belongs to user {me}" in str(problem) for problem in found.problems] == [True, True]


def test_no_folder_is_a_problem(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in str(read_folder(tmp_path / "x").problems[0])


def test_a_change_is_taken_over_unless_it_is_broken(tmp_path: Path) -> None:
    put(tmp_path, "audit.yaml")
    catalogue = Catalogue(tmp_path)
    first = catalogue.current()
    assert catalogue.current() is first
    put(tmp_path, "audit.yaml", written({"limits.seconds": 0}))
    broken = catalogue.current()
    assert (broken.jobs, broken.digest) == (first.jobs, first.digest)
    assert [problem.path for problem in broken.problems] == ["limits.seconds"]
    put(tmp_path, "audit.yaml", written({"limits.seconds": 7}))
    mended = catalogue.current()
    assert mended.jobs["audit"].limits.seconds == 7
    assert mended.problems == ()
    assert mended.digest != first.digest


def test_a_catalogue_that_begins_broken_has_what_is_whole(tmp_path: Path) -> None:
    put(tmp_path, "audit.yaml")
    put(tmp_path, "build.yaml", "")
    catalogue = Catalogue(tmp_path)
    assert list(catalogue.current().jobs) == ["audit"]
    assert catalogue.current().problems


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_the_digest_is_of_what_the_files_say(tmp_path: Path, names: tuple[str, ...]) -> None:
    for name in names:
        put(tmp_path, f"{name}.yaml")
    first = read_folder(tmp_path).digest
    put(tmp_path, "a.yaml", written({"job": "a"}) + "\n")
    assert read_folder(tmp_path).digest != first
