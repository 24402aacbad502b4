"""When sshd is changed, when it is refused, and when it is left alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clup.facts.sshd import Sshd, SshdState
from clup.operations.sshd import PROGRAM, allowing, differing, rendered
from tests.unit.operations.planning import evaluate

OPTIONS = {"X11Forwarding": ("no",), "PermitRootLogin": ("prohibit-password",)}
EFFECTIVE: dict[str, tuple[str, ...]] = {
    "x11forwarding": ("no",),
    "permitrootlogin": ("without-password",),
    "port": ("22",),
}
GOOD = SshdState(rendered(OPTIONS), "root:root 644", armed=False, newer=None, options=EFFECTIVE)
OVERRULED = EFFECTIVE | {"x11forwarding": ("yes",)}


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        (GOOD, "nothing"),
        (replace(GOOD, content=None, owner=""), "change"),
        (replace(GOOD, content="X11Forwarding yes\n", options=OVERRULED), "change"),
        (replace(GOOD, owner="root:root 666"), "change"),
        # Right, but no login has proven it: the machine would take it back.
        (replace(GOOD, armed=True), "change"),
        (replace(GOOD, newer="/etc/ssh/sshd_config"), "change"),
        (replace(GOOD, options=OVERRULED), "refusal"),
        (replace(GOOD, options={}, error="line 3: Bad configuration option"), "refusal"),
        # Our own file may be what sshd refuses: writing it anew is the cure.
        (replace(GOOD, content="Nonsense\n", options={}, error="line 1: Nonsense"), "change"),
    ],
)
def test_what_is_done_about_each_state(found: SshdState, outcome: str) -> None:
    steps, notes = evaluate(allowing, {Sshd: found}, options=OPTIONS)
    assert bool(steps) is (outcome != "nothing")
    assert bool(notes.refusals) is (outcome == "refusal")
    if outcome == "change":
        arm, put, proof, keep, ensured = steps
        assert "arm" in arm
        assert (put, keep) == (f"{PROGRAM} put", f"{PROGRAM} keep")
        assert (proof, ensured) == ("check", "check")


@pytest.mark.parametrize(
    ("options", "effective", "expected"),
    [
        ({"Port": ("22", "2222")}, {"port": ("2222", "22")}, []),
        ({"Port": ("2222",)}, {"port": ("22", "2222")}, ["port is 22 2222, not 2222"]),
        ({"AllowUsers": ("psy",)}, {}, ["allowusers is not set, not psy"]),
        (
            {"PermitRootLogin": ("prohibit-password",)},
            {"permitrootlogin": ("without-password",)},
            [],
        ),
        (
            {"PermitRootLogin": ("no",)},
            {"permitrootlogin": ("yes",)},
            ["permitrootlogin is yes, not no"],
        ),
    ],
)
def test_what_counts_is_what_sshd_makes_of_all_its_files(
    options: dict[str, tuple[str, ...]], effective: dict[str, tuple[str, ...]], expected: list[str]
) -> None:
    assert differing(options, replace(GOOD, options=effective)) == expected
