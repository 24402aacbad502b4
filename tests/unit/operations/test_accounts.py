"""What a plan says of an account that changes, evaluated without a machine."""

from __future__ import annotations

from clup.facts.accounts import Accounts, AccountsState, Group, User
from clup.operations.accounts import user
from tests.unit.operations.planning import evaluate

GROUPS = {
    "psy": Group("psy", 2000, frozenset()),
    "adm": Group("adm", 4, frozenset()),
}


def test_the_plan_shows_what_an_account_had_and_gets() -> None:
    there = User("psy", 2000, 2000, "", "/home/psy", "/usr/sbin/nologin", "none")
    steps, notes = evaluate(  # noqa: S604 a login shell
        user,
        {Accounts: AccountsState(users={"psy": there}, groups=GROUPS)},
        user="psy",
        uid=2000,
        group=("psy", 2000),
        home="/home/psy",
        shell="/bin/bash",
        comment="Human",
        groups=["adm"],
        among={},
    )
    assert "usermod --append --shell /bin/bash --comment Human --groups adm" in steps[0]
    assert notes.evidence == [
        "psy: shell /usr/sbin/nologin -> /bin/bash",
        "psy: comment empty -> Human",
        "psy: groups -> adm",
    ]
