from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from clup.compose.problem import ComposeError
from clup.compose.stack import Stack, stack
from clup.compose.waiver import Waiver

HERE = Path(__file__).parent
TODAY = datetime.date(2026, 11, 21)
GUARDS = {"dkr-claw-socket-proxy"}


def made(tmp_path: Path, old: str = "", new: str = "", waivers: tuple[Waiver, ...] = ()) -> Stack:
    """Return the stack of the clean file with its limits from a value, and one more change."""
    text = (HERE / "clean.yaml").read_text(encoding="utf-8")
    assert old in text
    text = text.replace("128m", "{{ memory | quoted }}").replace(old, new, 1) if old else text
    (tmp_path / "compose.yaml.j2").write_text(text)
    return stack(
        "compose.yaml.j2",
        [tmp_path],
        {"memory": "64m"},
        guards=GUARDS,
        waivers=waivers,
        today=TODAY,
    )


def test_what_is_right_comes_through(tmp_path: Path) -> None:
    found = made(tmp_path, "10001:10001", "10002:10002")
    assert (found.name, found.waived) == ("runner", ())
    assert 'mem_limit: "64m"' in found.text
    assert found.document.data["services"]["web"]["mem_limit"] == "64m"


STEPS = {
    "render": ("read_only: true", "read_only: {{ readonly }}", "'readonly' is not defined"),
    "parse": ("read_only: true", "read_only: yes", "'yes' means different things"),
    "schema": ("read_only: true", "readonly: true", "did you mean 'read_only'?"),
    "invariants": ("read_only: true", "read_only: false", "(rule read-only-root)"),
}


@pytest.mark.parametrize(("old", "new", "expected"), STEPS.values(), ids=STEPS)
def test_each_step_refuses(tmp_path: Path, old: str, new: str, expected: str) -> None:
    with pytest.raises(ComposeError) as raised:
        made(tmp_path, old, new)
    assert expected in str(raised.value)
    assert {
        problem.origin.split(", ")[0].rsplit("/", 1)[-1] for problem in raised.value.problems
    } == {"compose.yaml.j2"}


def test_a_waiver_lets_it_through_and_is_told(tmp_path: Path) -> None:
    waiver = Waiver(
        rule="pinned-image",
        service="migrate",
        reason="is built anew before each run",
        owner="psy",
        expires=TODAY,
    )
    tagged = made(tmp_path, "sha256:" + "3" * 64, "migrate:1", (waiver,))
    assert [finding.value for finding in tagged.waived] == ["'migrate:1'"]
