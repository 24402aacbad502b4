"""What left the settings, and a checkout that does not know what was applied since."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any
from unittest.mock import MagicMock

import pytest

from clup import cli, journal, managed, removal, revision
from clup.cli import forget, remove, stack
from clup.managed import Thing
from clup.transport import lock


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (remove, ["remove", "web", "--yes"]),
        (forget, ["forget", "web"]),
        (stack, ["stack", "remove", "web", "--yes"]),
    ],
)
def test_an_older_checkout_takes_nothing_away_unless_it_is_said(
    monkeypatch: pytest.MonkeyPatch, module: Any, words: list[str]
) -> None:
    host, done, lines = MagicMock(), [], []
    host.name = "vm1"
    session = MagicMock(document={"hosts": {}})
    session.deployment.alone.return_value = nullcontext()
    session.deployment.fail.side_effect = lambda _, line: lines.append(line)
    later = journal.Entry("2030-01-01", "eve@desk", "f" * 40, "done", 1)
    monkeypatch.setattr(module, "find", lambda *_: {host: [Thing("stack", "web")]})
    monkeypatch.setattr(module, "run", lambda _command, _target, work: work(session))
    monkeypatch.setattr(lock, "take", lambda *_: None)
    monkeypatch.setattr(journal, "last", lambda _: later)
    monkeypatch.setattr(journal, "append", lambda *_: None)
    monkeypatch.setattr(revision, "current", lambda _: "e" * 40)
    monkeypatch.setattr(removal, "remove", lambda *_: "")
    monkeypatch.setattr(managed, "drop", lambda _, things: done.append(things))

    with pytest.raises(SystemExit):
        cli.main(words)
    [line] = lines
    assert line == (
        "ffffffffffff was applied last, which this clone does not know (2030-01-01, eve@desk);"
        " pull first, or say --older"
    )
    assert done == []

    with pytest.raises(SystemExit):
        cli.main([*words, "--older"])
    assert done == [[Thing("stack", "web")]]
    assert lines == [line]
