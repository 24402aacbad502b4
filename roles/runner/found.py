"""A runner that somebody brought up by hand, and accounts that have other ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clup.checks import read
from clup.facts.accounts import Accounts, AccountsState
from clup.facts.paths import Paths
from clup.found import Found, Note
from roles.runner.settings import DATA, Settings

if TYPE_CHECKING:
    from testinfra.host import Host

COMPOSE = f"{DATA}/compose/docker-compose.yml"


def found(host: Host, settings: Settings) -> Iterator[Found | Note]:
    """Yield what the settings of this role would say of the machine."""
    yield from described(read(host, Accounts, ()), settings)
    there = read(host, Paths, (COMPOSE,))[COMPOSE]
    if there is not None and not settings.enabled:
        yield Note(
            f"There is a runner by hand at {COMPOSE}: with runner.enabled and runner.takeover clup"
            " takes its place. Its containers go on until then and are kept, as its files are."
        )


def described(state: AccountsState, settings: Settings) -> Iterator[Found]:
    """Given the accounts, yield the ids that differ."""
    for account, (name, number) in settings.ids.by_account.items():
        there = state.users.get(account)
        if there is not None and there.uid != number:
            why = f"{account} has the id {there.uid} on this machine."
            yield Found(("ids", name), there.uid, why)
