"""What labs need is installed if nobody says no; a source is added if somebody says yes."""

from __future__ import annotations

import pytest

from clup.lab import backports, needs
from clup.lab.backports import Backports
from clup.lab.errors import LabError

QEMU = needs.Need("qemu-system-x86_64", ("qemu-system-x86",), "is the lab's machine", least=8)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine without QEMU; lends what was done to it."""
    noted: list[str] = []
    monkeypatch.setattr(needs, "met", lambda need: "qemu-system-x86" in noted)
    monkeypatch.setattr(needs, "known", lambda package: True)
    monkeypatch.setattr(needs, "run", lambda argv, **_: noted.append(argv[-1]))
    monkeypatch.setattr(backports, "add", lambda source: noted.append("source"))
    return noted


@pytest.mark.parametrize(
    ("newest", "there", "answer", "expected"),
    [
        (7, False, True, ["-q", "source", "-q", "qemu-system-x86"]),
        (7, True, None, ["-q", "qemu-system-x86"]),
        (10, False, None, ["-q", "qemu-system-x86"]),
        (7, False, None, f"At {backports.FILE}: nobody is at a terminal to agree to "
         "http://m bookworm-backports as a source of apt; say --yes"),
        (7, False, False, "not installed, as you said"),
        (10, False, False, "not installed, as you said"),
    ],
    ids=["a yes", "nobody, known source", "nobody, no source", "nobody, new source", "a no to both",
         "a no"],
)  # fmt: skip
def test_only_a_yes_adds_a_source(
    done: list[str],
    monkeypatch: pytest.MonkeyPatch,
    newest: int,
    there: bool,
    answer: bool | None,
    expected: list[str] | str,
) -> None:
    source = Backports("bookworm-backports", "http://m", there)
    monkeypatch.setattr(needs, "candidate", lambda package: newest)
    monkeypatch.setattr(backports, "here", lambda: source)
    if isinstance(expected, str):
        with pytest.raises(LabError) as refused:
            needs.ensure([QEMU], print, lambda question: answer)
        assert expected in str(refused.value)
        assert done == ["-q"]
    else:
        needs.ensure([QEMU], print, lambda question: answer)
        assert done == expected
