"""A command that a connection takes with it is told from one that failed by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from clup.transport import lost


@dataclass
class Transport:
    """A connection that paramiko finds ended only when it has cleaned up."""

    ending: bool
    active: bool = True
    waits: list[float] = field(default_factory=list)

    def join(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.active = not self.ending

    def is_active(self) -> bool:
        return self.active

    def get_transport(self) -> Transport:
        return self


@pytest.mark.parametrize(
    ("status", "ending", "is_lost", "waits"),
    [
        (0, False, False, []),
        (1, False, False, []),
        (-1, True, True, [lost.SETTLE_S]),
        (-1, False, False, [lost.SETTLE_S]),
    ],
)
def test_a_command_without_a_status_waits_for_what_paramiko_finds(
    status: int, ending: bool, is_lost: bool, waits: list[float]
) -> None:
    transport = Transport(ending)
    receive = lost._settled(lambda _: status)
    assert receive(cast("Any", transport)) == status
    assert transport.waits == waits
    if is_lost:
        with pytest.raises(ConnectionError, match="the connection ended"):
            lost.see(transport)
    else:
        lost.see(transport)


@pytest.mark.parametrize(
    ("ending", "says"),
    [(True, "the connection ended"), (False, "the machine starts no command: EOFError")],
)
def test_a_command_that_does_not_start_waits_for_that_too(ending: bool, says: str) -> None:
    transport = Transport(ending)

    def starts(_: Any) -> None:
        raise EOFError

    with pytest.raises(ConnectionError, match=says):
        lost._guarded(starts)(cast("Any", transport))
    assert transport.waits == [lost.SETTLE_S]
