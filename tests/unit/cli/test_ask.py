"""Who is asked before something is installed, and what an interrupt of the question is."""

from __future__ import annotations

import click
import pytest

from clup.cli import ask


@pytest.mark.parametrize(
    ("assume_yes", "terminal", "asked", "answer"),
    [
        (True, True, 0, True),
        (True, False, 0, True),
        (False, False, 0, None),
        (False, True, 1, True),
    ],
)
def test_only_a_person_is_asked(
    monkeypatch: pytest.MonkeyPatch,
    assume_yes: bool,
    terminal: bool,
    asked: int,
    answer: bool | None,
) -> None:
    questions = []

    def confirm(question: str, **_: object) -> bool:
        questions.append(question)
        return True

    monkeypatch.setattr(click, "confirm", confirm)
    monkeypatch.setattr(ask, "is_terminal", lambda: terminal)
    assert ask.asker(assume_yes)("Install them?") is answer
    assert len(questions) == asked


def test_an_interrupt_of_the_question_is_one_of_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def aborted(question: str, **_: object) -> bool:
        raise click.Abort

    monkeypatch.setattr(click, "confirm", aborted)
    monkeypatch.setattr(ask, "is_terminal", lambda: True)
    with pytest.raises(KeyboardInterrupt):
        ask.asker(False)("Install them?")
