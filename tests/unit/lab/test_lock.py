"""Who waits for whom while labs are made, booted and removed."""

from pathlib import Path

import pytest

from clup.lab import lock, machine
from clup.lab.errors import LabError
from clup.lab.lock import locked


@pytest.fixture(autouse=True)
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "FOLDER", tmp_path)
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.0)


@pytest.mark.parametrize(("held", "wanted"), [("", "a"), ("a", ""), ("a", "b")])
def test_a_lab_that_boots_hinders_no_other(held: str, wanted: str) -> None:
    with locked(print, held), locked(print, wanted):
        assert machine.recorded() == []


@pytest.mark.parametrize(("name", "what"), [("", "labs"), ("a", "lab a")])
def test_two_commands_never_work_on_the_same(name: str, what: str) -> None:
    told: list[str] = []
    with (
        locked(print, name),
        pytest.raises(LabError, match=f"another command works on {what}"),
        locked(told.append, name),
    ):
        pass
    with locked(print, name):
        assert told in ([], [f"Waiting for another command that works on {what}."])
