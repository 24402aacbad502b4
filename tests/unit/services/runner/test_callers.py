from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services.jobs.problem import JobError
from services.runner.callers import Callers, read_folder, read_rights
from tests.unit.services.runner.runners import add_caller, token


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "tokens").mkdir()
    add_caller(tmp_path, "gateway", jobs="[audit, build]", parallel=3)
    add_caller(tmp_path, "operator", sees="all")
    return tmp_path


def test_a_caller_is_known_by_its_token(data: Path) -> None:
    known = read_folder(data / "tokens")
    gateway, operator = known.find(token("gateway")), known.find(token("operator"))
    assert known.problems == ()
    assert gateway
    assert operator
    assert (gateway.name, gateway.parallel, gateway.sees_all) == ("gateway", 3, False)
    assert (gateway.may_run("audit"), gateway.may_run("verify")) == (True, False)
    assert (operator.may_run("verify"), operator.sees_all) == (True, True)
    assert known.limits() == {"gateway": 3, "operator": 4}


@pytest.mark.parametrize("other", ["", "t" * 43, token("gateway")[:-1], token("gateway") + "\n",
                                   "gateway", "\udcff", "\u00e4" * 43])  # fmt: skip
def test_nobody_is_known_by_another(data: Path, other: str) -> None:
    assert read_folder(data / "tokens").find(other) is None


def short(folder: Path) -> None:
    (folder / "gateway").write_text("short", encoding="ascii")


def two_lines(folder: Path) -> None:
    (folder / "gateway").write_text(token("gateway") + "\n\n", encoding="ascii")


def readable(folder: Path) -> None:
    (folder / "gateway").chmod(0o640)


def a_link(folder: Path) -> None:
    (folder / "gateway").rename(folder.parent / "elsewhere")
    (folder / "gateway").symlink_to(folder.parent / "elsewhere")


def no_rights(folder: Path) -> None:
    (folder / "gateway.yaml").unlink()


def no_token(folder: Path) -> None:
    (folder / "gateway").unlink()


def bad_rights(folder: Path) -> None:
    (folder / "gateway.yaml").write_text("jobs: [a]\njobs: all\n", encoding="ascii")


def same_token(folder: Path) -> None:
    (folder / "operator").write_text(token("gateway"), encoding="ascii")


def a_pipe(folder: Path) -> None:
    (folder / "gateway").unlink()
    os.mkfifo(folder / "gateway", 0o600)


BROKEN: dict[str, tuple[Callable[[Path], None], str]] = {
    "short": (short, "gateway: holds no token; write 32 to 128"),
    "two lines": (two_lines, "gateway: holds no token"),
    "readable for others": (readable, "gateway: can be read by others (mode 0640); chmod 0600 it"),
    "a link": (a_link, "gateway: cannot be read: Too many levels of symbolic links"),
    "no rights": (no_rights, "gateway: gateway.yaml, its rights, is missing"),
    "no token": (no_token, "gateway: gateway, its token, is missing"),
    "bad rights": (bad_rights, "has the key 'jobs' twice"),
    "a pipe": (a_pipe, "gateway: is no regular file"),
}


@pytest.mark.parametrize(("break_it", "expected"), BROKEN.values(), ids=BROKEN)
def test_a_caller_with_a_problem_is_none_and_the_others_stay(
    data: Path, break_it: Callable[[Path], None], expected: str
) -> None:
    break_it(data / "tokens")
    known = read_folder(data / "tokens")
    assert [caller.name for caller in known.callers.values()] == ["operator"]
    assert len(known.problems) == 1
    assert expected in known.problems[0]
    assert token("gateway") not in known.problems[0]


def test_what_a_change_leaves_beside_them_is_passed_over(data: Path) -> None:
    for name in (".clup.gateway.new", "gateway.bak.20261121-181309", "gateway.yaml.bak.1", "old~"):
        (data / "tokens" / name).write_text("x")
    assert read_folder(data / "tokens").problems == ()


def test_a_token_belongs_to_one(data: Path) -> None:
    same_token(data / "tokens")
    known = read_folder(data / "tokens")
    assert [caller.name for caller in known.callers.values()] == ["gateway"]
    assert "has the token of gateway; make a new one" in known.problems[0]


RIGHTS = {
    "no jobs": ("parallel: 1", "At jobs (x, line 1): is required; add it"),
    "a word": ("jobs: audit", "is no list of 1 to 256 texts"),
    "no number": ("jobs: all\nparallel: many", "'many' is no whole number"),
    "none at a time": ("jobs: all\nparallel: 0", "0 is out of bounds; choose 1 to 256"),
    "sees": ("jobs: all\nsees: some", "choose one of own, all"),
    "unknown": ("jobs: all\nqueue: 3", "did you mean 'queued'?"),
}


@pytest.mark.parametrize(("text", "expected"), RIGHTS.values(), ids=RIGHTS)
def test_rights_that_are_refused(text: str, expected: str) -> None:
    with pytest.raises(JobError) as raised:
        read_rights(text, "gateway", "x")
    assert expected in str(raised.value)


def test_a_token_is_changed_and_taken_back_while_the_runner_runs(data: Path) -> None:
    callers = Callers(data / "tokens")
    (data / "tokens" / "gateway").write_text("n" * 43, encoding="ascii")
    assert callers.current().find(token("gateway")) is None
    assert callers.current().find("n" * 43)
    (data / "tokens" / "gateway").unlink()
    assert callers.current().find("n" * 43) is None
