"""How a command ends: the exit code, the line and the document."""

from __future__ import annotations

import json

import pytest

from clup.cli.session import Session, run
from clup.cli.target import Target
from clup.inventories import DeploymentError


def test_a_fault_of_clup_itself_is_one_line_and_a_document(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work(session: Session) -> None:
        raise RuntimeError("two\nlines")

    with pytest.raises(SystemExit) as end:
        run("check", Target("inventories/example.py", (), None, True), work)
    assert end.value.code == 1
    answer = capsys.readouterr()
    [line] = answer.err.splitlines()
    assert line.startswith("clup itself failed at test_session.py line ")
    assert json.loads(answer.out)["error"] == line


@pytest.mark.parametrize(
    ("end_of_work", "code", "error"),
    [
        (None, 0, None),
        (KeyboardInterrupt(), 1, "interrupted: nothing was contacted"),
        (DeploymentError("no deploy"), 1, "no deploy"),
    ],
)
def test_the_document_has_one_shape(
    capsys: pytest.CaptureFixture[str],
    end_of_work: BaseException | None,
    code: int,
    error: str | None,
) -> None:
    def work(session: Session) -> None:
        if end_of_work is not None:
            raise end_of_work

    with pytest.raises(SystemExit) as end:
        run("check", Target("inventories/example.py", (), None, True), work)
    assert end.value.code == code
    answer = json.loads(capsys.readouterr().out)
    assert answer.pop("error", None) == error
    hosts = {"claw-vm": {"errors": [], "commands": 0}}
    assert answer == {"command": "check", "exit": code, "hosts": hosts}


def test_an_error_of_no_host_fails_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    def work(session: Session) -> None:
        session.deployment.errors[""] = ["one", "two"]

    with pytest.raises(SystemExit) as end:
        run("check", Target("inventories/example.py", (), None, True), work)
    assert end.value.code == 1
    assert json.loads(capsys.readouterr().out)["error"] == "one; two"
