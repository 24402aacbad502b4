from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from services.runner.room import MB, lack, least


@pytest.mark.parametrize(
    ("size", "free"),
    [(0, 0), (20 * MB, MB), (1000 * MB, 50 * MB), (1280 * MB, 64 * MB), (10**12, 64 * MB)],
)
def test_how_much_stays_free(size: int, free: int) -> None:
    assert least(size) == free


@pytest.mark.parametrize(
    ("free", "said"),
    [(2560, ""), (2559, "/srv: 10.0 MB are free, and jobs are accepted from 10.0 on"), (9999, "")],
)
def test_what_is_free_for_the_runner_alone_counts(
    monkeypatch: pytest.MonkeyPatch, free: int, said: str
) -> None:
    found = SimpleNamespace(f_frsize=4096, f_blocks=51200, f_bavail=free, f_bfree=51200)
    monkeypatch.setattr(os, "statvfs", lambda _: found)
    assert lack(Path("/srv")) == said
