"""To whom a token is sent, and what of it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from clup.machine import runner_http
from clup.machine.runner_http import FaultError, accepted_by, fault, token

PORT, OWN = 18888, 40000
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  ...\n"


def row(local: str, remote: str, state: str, uid: int, inode: int) -> str:
    return f"   0: {local} {remote} {state} 0:0 00:0 00000000 {uid} 0 {inode}\n"


HERE, THERE, ANYWHERE = "0100007F:49C8", "0100007F:9C40", "00000000:0000"
LISTENS = row(HERE, ANYWHERE, "0A", 0, 11)
OWN_END = row(THERE, HERE, "01", 7, 12)


@pytest.mark.parametrize(
    ("table", "uid"),
    [
        (LISTENS + OWN_END + row(HERE, THERE, "01", 0, 13), 0),
        # Somebody else accepted it, and Docker listens there since.
        (LISTENS + OWN_END + row(HERE, THERE, "01", 1000, 13), 1000),
        # Accepted by nobody yet, it says uid 0: who listens counts.
        (row(HERE, ANYWHERE, "0A", 1000, 11) + row(HERE, THERE, "01", 0, 0), 1000),
        (row("00000000:49C8", ANYWHERE, "0A", 1000, 11) + OWN_END, 1000),
        # Another address, another port of the other end.
        (LISTENS + row("0200007F:49C8", THERE, "01", 1000, 13), 0),
        (LISTENS + row(HERE, "0100007F:9C41", "01", 1000, 13), 0),
        (OWN_END, None),
    ],
)
def test_whose_a_connection_is(table: str, uid: int | None) -> None:
    assert accepted_by(HEAD + table, OWN, PORT) == uid


def test_nothing_is_sent_to_a_stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = tmp_path / "tcp"
    table.write_text(HEAD + row(HERE, ANYWHERE, "0A", 54321, 11))
    monkeypatch.setattr(runner_http, "_TCP", table)
    with pytest.raises(FaultError, match="the account with uid 54321, not by Docker") as refused:
        runner_http.see_whose(OWN, PORT)
    assert refused.value.code == "stranger"


SECRET = "s3cret" * 8


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (f"{SECRET}\n{SECRET}\n".encode(), "holds no token"),
        (f"{SECRET}\r\nX-Evil: 1".encode(), "holds no token"),
        (f"{SECRET} ü".encode(), "holds no token"),
        (b"", "holds no token"),
        (None, "No such file"),
    ],
)
def test_what_is_no_token_is_not_told(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "operator"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FaultError, match=says) as refused:
        token(path)
    assert SECRET not in f"{refused.value} {refused.value.cure}"


def test_a_link_is_no_token(tmp_path: Path) -> None:
    (tmp_path / "real").write_text(SECRET)
    (tmp_path / "operator").symlink_to(tmp_path / "real")
    with pytest.raises(FaultError, match="symbolic links"):
        token(tmp_path / "operator")


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"error": {"code": "x"}}'])
def test_an_answer_without_a_reason_is_a_fault(body: bytes) -> None:
    found = fault(502, body)
    assert (found.code, str(found)) == ("no_fault", "the runner answers 502 without a reason")
