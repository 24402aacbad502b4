"""How a command ends whose own code fails."""

from __future__ import annotations

import json

import pytest

from clup.cli.session import Session, run
from clup.cli.target import Target


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
