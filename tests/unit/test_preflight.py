"""What must hold on a machine before it is touched, from what the look prints."""

from __future__ import annotations

import pytest

from clup.preflight import judge

GOOD = """uid 0
os debian 13
init systemd
free / 9000 /
free /tmp 900 /tmp
free /var 9000 /
free /run 300 /run
"""


@pytest.mark.parametrize(
    ("seen", "changes", "starts"),
    [
        (GOOD, True, []),
        (GOOD.replace("os debian 13", "os ubuntu 24.04"), True, []),
        (GOOD.replace("os debian 13", "os fedora 42"), False, ["vm: fedora 42 is not supported"]),
        (GOOD.replace("init systemd", "init busybox"), False, ["vm: PID 1 is busybox"]),
        (GOOD.replace("free / 9000", "free / 3"), False, []),
        (GOOD.replace("free / 9000", "free / 3"), True, ["vm: / has 3 MiB free and needs 200"]),
        (GOOD.replace("/tmp 900", "/tmp 0"), True, ["vm: /tmp has 0 MiB free and needs 16"]),
        (GOOD + "readonly /var\n", True, ["vm: /var cannot be written"]),
        (GOOD + "readonly /\nreadonly /var\n", True, ["vm: / cannot be written"]),
        (
            GOOD.replace("9000", "3") + "readonly /\nreadonly /var\n",
            True,
            ["vm: / has 3 MiB free and needs 200"],
        ),
        (
            GOOD.replace("/var 9000 /", "/var 3 /var").replace("/ 9000", "/ 4"),
            True,
            ["vm: / has 4 MiB", "vm: /var has 3 MiB"],
        ),
    ],
)
def test_each_objection_names_place_and_reason(seen: str, changes: bool, starts: list[str]) -> None:
    lines = judge("vm", seen, changes)
    assert len(lines) == len(starts)
    assert all(line.startswith(start) for line, start in zip(lines, starts, strict=True))
