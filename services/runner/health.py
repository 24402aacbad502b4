"""Whether the runner does its work: asked of those who do it, not of what they said before."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from services.runner.guard import GuardDownError, RefusedError
from services.runner.scheduler import Scheduler
from services.runner.store import Store, StoreError
from services.runner.workshop import Workshop

_SECONDS = 1.0
"""So long an answer holds: health may be asked for by anybody on the machine, and often."""
_GUARD_SECONDS = 5.0


@dataclass(frozen=True)
class Health:
    """`reasons` why the runner runs no jobs now, and `problems` in spite of which it does."""

    reasons: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


class Doctor:
    """Looks at all parts of the runner."""

    def __init__(self, workshop: Workshop, scheduler: Scheduler):
        self._shop = workshop
        self._scheduler = scheduler
        self._lock = asyncio.Lock()
        self._seen = Health()
        self._until = 0.0

    async def look(self) -> Health:
        """Return how the runner is: as it is now, or was a second ago."""
        async with self._lock:
            if time.monotonic() >= self._until:
                self._seen = await self._look()
                self._until = time.monotonic() + _SECONDS
            return self._seen

    async def _look(self) -> Health:
        guard, different = await self._guard()
        reasons = [guard, await self._store(), self._shop.exporter.problem]
        if not guard:
            reasons.append(self._scheduler.problem)
        problems = [
            *map(str, self._shop.catalogue.current().problems),
            *self._shop.callers.current().problems,
            different,
        ]
        health = Health(tuple(filter(None, reasons)), tuple(filter(None, problems)))
        self._shop.metrics.guard_up.set(not guard)
        self._shop.metrics.problems.set(len(health.reasons) + len(health.problems))
        self._shop.metrics.exported.set(self._shop.exporter.exported)
        return health

    async def _guard(self) -> tuple[str, str]:
        """Return why the guard is of no use, and what is different between its jobs and ours."""
        try:
            async with asyncio.timeout(_GUARD_SECONDS):
                await self._shop.guard.ping()
                version = await self._shop.guard.version()
        except TimeoutError:
            return f"the guard did not answer within {_GUARD_SECONDS:.0f} s", ""
        except (GuardDownError, RefusedError) as error:
            return str(error), ""
        told = version.get("guard")
        digest = told.get("catalogue") if isinstance(told, dict) else None
        if digest == self._shop.catalogue.current().digest:
            return "", ""
        return "", "guard and runner read different job files; mount the same folder in both"

    async def _store(self) -> str:
        try:
            await self._shop.desk(Store.check)
        except StoreError as error:
            return str(error)
        return ""
