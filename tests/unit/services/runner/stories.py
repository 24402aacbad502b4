"""A runner that is up behind a guard, for a story that happens to it."""

from __future__ import annotations

import asyncio
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.unit.services.runner.fake_guard import Script
from tests.unit.services.runner.runners import Running, running
from tests.unit.services.runner.test_artifacts import FILE, tar

HELLO = Script(output=[(0, 1, b"hello\n"), (0, 2, b"oh\n")])
LONG = Script(seconds=60)
ARTIFACTS = Script(
    archive=tar([("artifacts/a/b.txt", FILE, b"one"), ("artifacts/l", tarfile.SYMTYPE, "/etc")])
)
SCRIPTS = {
    "quick": HELLO,
    "long": LONG,
    "fails": Script(exit_code=3),
    "hungry": Script(oom_killed=True),
    "leaves": ARTIFACTS,
    "short": LONG,
}


def told(
    root: Path,
    story: Callable[[Running], Awaitable[None]],
    seconds_allowed: float = 60,
    **options: Any,
) -> None:
    """Have a runner up, and a story happen to it within its time."""

    async def whole() -> None:
        options.setdefault("scripts", SCRIPTS)
        async with asyncio.timeout(seconds_allowed), running(root, **options) as it:
            await story(it)

    asyncio.run(whole())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)
