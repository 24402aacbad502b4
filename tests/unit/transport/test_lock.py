"""What is said about a machine's lock: who has it, what is waited for, why it was not had."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pyinfra.api.config import Config
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.state import State

from clup.transport import lock

LEFT = "base: Limit the journal, process 12, since 10:00:00 UTC"
WAITING = f"@local: waiting for a command of a former run to end: {LEFT}"


@pytest.fixture
def host() -> Host:
    machine = State(Inventory((["@local"], {})), Config()).inventory.get_host("@local")
    assert isinstance(machine, Host)
    return machine


CASES = [
    (["held"], None, []),
    ([f"waiting {LEFT}"] * 3 + ["held"], None, [WAITING]),
    ([f"waiting {LEFT}"] * 12 + ["held"], None, [WAITING] * 2),
    (
        [f"waiting {LEFT}", f"left {LEFT}"],
        f"@local: a command of a former run still works there after 600 s ({LEFT}); see with"
        " `pstree -alp PROCESS` what it waits for, end that, then try again",
        [WAITING],
    ),
    (
        ["busy eve@desk, process 7"],
        "@local is being changed by eve@desk, process 7; wait until that run ends, then try again",
        [],
    ),
    (
        ["mkdir: no space left"],
        "@local: /run/clup/apply.lock could not be taken (mkdir: no space left); is /run writable?",
        [],
    ),
]


@pytest.mark.parametrize(("answers", "wanted", "told"), CASES)
def test_what_is_said(
    host: Host,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[str],
    wanted: str | None,
    told: list[str],
) -> None:
    ended: list[bool] = []
    said: list[str] = []

    def ask(*_: object) -> tuple[Iterator[str], lock.Holder]:
        return iter(answers), lambda: ended.append(True)

    monkeypatch.setattr(lock, "_ask", ask)
    assert lock.take(host, said.append) == wanted
    assert said == told
    lock.release(host)
    assert ended == [True]
