"""What an interrupted apply says of each machine."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from clup.cli.apply import _lines, _Watch
from clup.watch import Operation, Status


def test_an_interrupt_tells_the_changes_of_each_machine() -> None:
    session: Any = SimpleNamespace(screen=SimpleNamespace(ended=lambda *_: None), state="")
    watch = _Watch(session, {"one": 2, "two": 3})
    ends: list[tuple[str, str, Status]] = [
        ("one", "Name the machine", "changed"),
        ("two", "Name the machine", "unchanged"),
        ("one", "Set the time zone", "unchanged"),
    ]
    for name, operation, status in ends:
        host: Any = SimpleNamespace(name=name)
        watch.ended(host, Operation("base", operation, status))
    assert watch.done == {"one": 1, "two": 0}
    assert session.state == (
        "one: 1 of 2 changes were done, the last one: base: Name the machine;"
        " two: 0 of 3 changes were done;"
        " a command that runs there ends by itself; apply again to converge"
    )


def test_each_reason_is_a_line_and_one_that_was_told_before_is_none() -> None:
    operations = [
        Operation("storage", "Judge every disk", "refused", error="a: foreign\nb: unknown"),
        Operation("storage", "Make or adopt the filesystem A", "refused"),
    ]
    assert _lines(operations) == [
        "storage: Judge every disk: a: foreign",
        "storage: Judge every disk: b: unknown",
    ]
