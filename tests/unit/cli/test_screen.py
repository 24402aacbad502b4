"""What the machine says is shown as it is, whatever rich would make of it."""

from __future__ import annotations

import pytest

from clup.cli.screen import Screen


@pytest.mark.parametrize("line", ["operator:x:1999", "[red] is no colour here", "50% of /dev/sdb"])
def test_a_line_is_shown_as_it_is(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.lines([line])
    screen.error(line)
    assert tuple(capsys.readouterr()) == (f"{line}\n", f"{line}\n")
