"""The queue at work: begins what may begin, and looks after what nobody else does."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import Counter

from services.runner.attend import Attendant, NotBegunError, finish
from services.runner.guard import GuardDownError
from services.runner.prune import Pruner
from services.runner.records import Result
from services.runner.recovery import reap, recover
from services.runner.store import Store, StoreError
from services.runner.turns import Waiting, choose
from services.runner.workshop import Workshop

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 2.0
_TIDY_SECONDS = 60.0


class Scheduler:
    """Begins queued jobs within the limits, as long as `run` runs."""

    def __init__(self, workshop: Workshop):
        self._shop = workshop
        self._wake = asyncio.Event()
        self._attended: dict[str, tuple[str, Attendant, asyncio.Task[None]]] = {}
        self._has_recovered = False
        self._turn = itertools.count(1)
        self._turns: dict[str, int] = {}
        """Of each caller, which one of all turns was its last."""
        self._since: dict[str, float] = {}
        self._pause_until = 0.0
        self._tidy_at = 0.0
        self._pruner = Pruner(workshop.settings)
        self._ended: set[str] = set()
        """The jobs whose reports nobody has looked at yet."""
        self.problem = "the jobs of the last runner are being looked after"
        """Why nothing is begun; empty while jobs are."""

    @property
    def running(self) -> int:
        """How many jobs are attended."""
        return len(self._attended)

    def wake(self) -> None:
        """There is something new to begin."""
        self._wake.set()

    def cancel(self, job_id: str) -> None:
        """End a job that is attended."""
        if job_id in self._attended:
            self._attended[job_id][1].cancel()

    async def run(self) -> None:
        """Look after what the last runner left, then begin jobs for ever."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self._step()
                except StoreError as error:
                    self.problem = str(error)
                until_tidy = max(0.0, self._tidy_at - time.monotonic())
                await self._sleep(_AGAIN_SECONDS if self.problem else until_tidy)
        finally:
            for _, _, task in self._attended.values():
                task.cancel()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _step(self) -> None:
        queue = await self._shop.desk(Store.queue)
        waiting = [each for each in queue if each.id not in self._attended]
        await self._give_up(waiting)
        if not self._has_recovered:
            self._has_recovered = await self._recover()
        if self._has_recovered and time.monotonic() >= self._tidy_at:
            # First, as a job that ends meanwhile may leave something too.
            self._tidy_at = time.monotonic() + _TIDY_SECONDS
            if not await self._tidy():
                self._tidy_at = time.monotonic() + _AGAIN_SECONDS
        if self._has_recovered and (self._ended or self._pruner.is_due):
            await self._prune()
        if self._has_recovered and time.monotonic() >= self._pause_until:
            self.problem = ""
            self._begin(waiting)
        self._shop.metrics.queued.set(len(waiting))
        self._shop.metrics.running.set(len(self._attended))

    async def _recover(self) -> bool:
        """Look after what the last runner left, and return whether all of it is done."""
        try:
            await recover(self._shop)
        except (GuardDownError, OSError, TimeoutError) as error:
            self.problem = f"the jobs of the last runner wait to be looked after: {error}"
            log.warning("%s", self.problem)
            return False
        return True

    def _begin(self, waiting: list[Waiting]) -> None:
        """Begin what may begin, and take it out of what waits."""
        limits = self._shop.callers.current().limits()
        while True:
            running = Counter(caller for caller, _, _ in self._attended.values())
            chosen = choose(waiting, running, limits, self._shop.settings.parallel, self._turns)
            if chosen is None:
                break
            waiting.remove(chosen)
            self._turns[chosen.caller] = next(self._turn)
            attendant = Attendant(self._shop, chosen.id)
            task = asyncio.create_task(self._attend(chosen.id, attendant))
            self._attended[chosen.id] = (chosen.caller, attendant, task)

    async def _attend(self, job_id: str, attendant: Attendant) -> None:
        try:
            await attendant.attend()
        except NotBegunError as error:
            self.problem = f"no job can begin: {error}"
            self._pause_until = time.monotonic() + _AGAIN_SECONDS
            log.warning("job %s: waits: %s", job_id, error)
        except Exception:
            # Whatever it is, the job must not stay as running for ever, nor its container.
            log.exception("job %s: the runner failed", job_id)
            reason = "the runner failed; see its log"
            await finish(self._shop, job_id, "error", Result(reason=reason))
            attendant.leaves_container = True
        finally:
            if attendant.leaves_container:
                self._tidy_at = 0.0
            del self._attended[job_id]
            self._ended.add(job_id)
            self.wake()

    async def _give_up(self, waiting: list[Waiting]) -> None:
        """End what has waited too long, as nobody could begin it or its caller is no more."""
        seconds, now = self._shop.settings.queue_seconds, time.monotonic()
        # Of a clock that jumps nobody has waited longer.
        self._since = {each.id: self._since.get(each.id, now) for each in waiting}
        for each in [each for each in waiting if now - self._since[each.id] > seconds]:
            waiting.remove(each)
            reason = f"it could not be begun within {seconds} s; see /healthz for what is wrong"
            await finish(self._shop, each.id, "error", Result(reason=reason))

    async def _tidy(self) -> bool:
        """Remove containers of nobody. Nothing begins meanwhile. Return whether none is left."""
        try:
            return await reap(self._shop, set(self._attended))
        except (GuardDownError, TimeoutError) as error:
            log.warning("not all could be tidied: %s", error)
            return False

    async def _prune(self) -> None:
        """Keep the reports within their limits. Nothing begins meanwhile."""
        ended, self._ended = self._ended, set()
        try:
            await asyncio.to_thread(self._pruner.prune, ended, set(self._attended))
        except OSError as error:
            log.warning("reports are not pruned: %s", error)
