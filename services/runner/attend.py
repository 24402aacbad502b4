"""One job from its container's creation to its end: create, begin, start, watch, collect, finish.

The order is what makes it safe. A container is made while the job is still queued, as nothing runs
by that. Then the store says that it runs, and only then it is started: so a job that the store has
as queued has never run, and one that it has as running is never run again. The container is removed
after the end is written down; whatever dies in between leaves something that `reap` removes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress

from services.jobs import Job
from services.runner.artifacts import Collected
from services.runner.collect import bring_artifacts, rest_of_output, spool_output
from services.runner.guard import (
    AbsentError,
    Container,
    FullError,
    GuardDownError,
    RefusedError,
    TakenError,
)
from services.runner.records import Record, Result
from services.runner.spool import Spool
from services.runner.states import End, State, outcome
from services.runner.store import Store, StoreError
from services.runner.workshop import Workshop

log = logging.getLogger(__name__)

MB = 2**20

_AGAIN_SECONDS = 1.0
_LOOK_SECONDS = 0.1
_GRACE_SECONDS = 2.0
"""The guard ends a job at its limit; the runner does a little later, should the guard not."""
_STOP_SECONDS = 10


class NotBegunError(Exception):
    """The guard cannot be asked now: the job stays in the queue."""


class Attendant:
    """Attends one job. `cancel` may be called at any time."""

    def __init__(self, workshop: Workshop, job_id: str):
        self._shop = workshop
        self._id = job_id
        self._cancelled = asyncio.Event()
        self.leaves_container = False
        """Whether the container of a job that has ended could not be removed."""

    def cancel(self) -> None:
        """End the job, as a caller asked."""
        self._cancelled.set()

    async def attend(self) -> None:
        """Run the job, whatever becomes of it. Raise NotBegunError when it cannot begin now."""
        try:
            job = await self._begin()
        except StoreError as error:
            raise NotBegunError(str(error)) from error
        if job is not None:
            self._shop.told(self._id)
            await self._run(job)
            await self._remove()

    async def _begin(self) -> Job | None:
        """Make the container and let the job run; return None when it is not to run any more."""
        record = await self._shop.desk(Store.get, self._id)
        job = self._shop.catalogue.current().jobs.get(record.job) if record else None
        if record is None:
            return None
        if job is None:
            reason = "it has left the catalogue since it was accepted; ask for another"
            await self._finish("error", Result(reason=reason))
            return None
        try:
            await asyncio.to_thread(self._shop.reports.make, self._id)
        except OSError as error:
            raise NotBegunError(f"the folder of its report cannot be made: {error}") from error
        try:
            await self._create(record)
        except (RefusedError, ValueError) as error:
            await self._finish("error", Result(reason=f"the guard refuses it: {error}"))
            return None
        if await self._shop.desk(Store.begin, self._id, job.image) is None:
            await self._remove()
            return None
        return job

    async def _create(self, record: Record) -> None:
        head = await self._shop.desk(Store.head)
        try:
            try:
                await self._shop.guard.create(self._id, record.job, record.parameters, head)
            except TakenError:
                # A try whose answer was lost made it. It has never been started.
                await self._shop.guard.remove(self._id)
                await self._shop.guard.create(self._id, record.job, record.parameters, head)
        except GuardDownError as error:
            raise NotBegunError(str(error)) from error

    async def _run(self, job: Job) -> None:
        """Start the container, watch it to its end, and write down how that was."""
        folder = self._shop.reports.folder(self._id)
        spool = Spool(folder, job.limits.output_mb * MB)
        began = time.monotonic()
        reading: asyncio.Task[None] | None = None
        try:
            try:
                lost = await self._start()
            except TakenError as error:
                reason = f"guard or Docker died while it was being started: {error}"
                await self._finish("interrupted", Result(reason=reason))
                return
            except RefusedError as error:
                reason = f"its container could not be started: {error}"
                await self._finish("error", Result(reason=reason))
                return
            if lost is None:
                reason = "a caller asked for its end before there was room for it to run"
                await self._finish("cancelled", Result(reason=reason))
                return
            began = time.monotonic()
            reading = asyncio.create_task(
                spool_output(self._shop.guard, self._id, spool, self._shop.changes)
            )
            container, end = await self._watch(job, began, lost)
            await rest_of_output(reading, spool)
            collected = await self._artifacts(job, container)
            await asyncio.to_thread(spool.close)
            state, reason = outcome(end, job.limits.seconds)
            await self._finish(state, _result(end, reason, spool, collected, container))
        finally:
            if reading is not None:
                reading.cancel()
            spool.close()

    async def _start(self) -> bool | None:
        """Start the container, and return whether the guard went away meanwhile: then it is asked
        whether it did start, until it answers. Return None where a caller asked for the end while
        as many run as may. Raise TakenError when nobody knows whether it ran, RefusedError when it
        did not."""
        lost = False
        while True:
            try:
                if not lost or (await self._shop.guard.inspect(self._id)).state == "created":
                    await self._shop.guard.start(self._id)
                return lost
            except FullError as error:
                log.warning("job %s: %s", self._id, error)
                if await self._is_cancelled_within(_AGAIN_SECONDS):
                    return None
            except GuardDownError as error:
                log.warning("job %s: %s", self._id, error)
                lost = True
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _is_cancelled_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._cancelled.wait()
        return self._cancelled.is_set()

    async def _watch(self, job: Job, began: float, lost: bool) -> tuple[Container | None, End]:
        """Wait until the container is over; end it when a caller asks, or for its time."""
        waiting = asyncio.create_task(self._over())
        cancelling = asyncio.create_task(self._cancelled.wait())
        try:
            limit = job.limits.seconds + _GRACE_SECONDS - (time.monotonic() - began)
            await asyncio.wait(
                {waiting, cancelling}, timeout=limit, return_when=asyncio.FIRST_COMPLETED
            )
            is_ended = not waiting.done()
            cancelled = is_ended and self._cancelled.is_set()
            while not waiting.done():
                await self._stop()
                await asyncio.wait({waiting}, timeout=_AGAIN_SECONDS)
            container, lost_later = waiting.result()
        finally:
            waiting.cancel()
            cancelling.cancel()
        return container, End(
            exit_code=container.exit_code if container else None,
            oom_killed=container.oom_killed if container else False,
            error=container.error if container else "",
            seconds=time.monotonic() - began,
            cancelled=cancelled,
            timed_out=is_ended and not cancelled,
            lost=lost or lost_later or (container.lost if container else False),
        )

    async def _over(self) -> tuple[Container | None, bool]:
        """Return the container when it is over, None when it is gone, and whether the guard went
        away meanwhile."""
        lost = False
        while True:
            try:
                await self._shop.guard.wait(self._id)
                container = await self._shop.guard.inspect(self._id)
                if container.is_over:
                    return container, lost
                await asyncio.sleep(_LOOK_SECONDS)
            except AbsentError:
                return None, lost
            except (GuardDownError, RefusedError, TimeoutError) as error:
                log.warning("job %s: %s", self._id, error)
                lost = True
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _stop(self) -> None:
        try:
            await self._shop.guard.stop(self._id, _STOP_SECONDS)
        except (GuardDownError, RefusedError, TimeoutError) as error:
            log.warning("job %s: cannot be ended yet: %s", self._id, error)

    async def _artifacts(self, job: Job, container: Container | None) -> Collected:
        if container is None:
            return Collected()
        limit = job.limits.artifacts_mb * MB
        try:
            return await bring_artifacts(self._shop.guard, self._shop.reports, self._id, limit)
        except GuardDownError as error:
            collected = Collected()
            collected.refuse("artifacts", f"the guard went away: {error}")
            return collected

    async def _finish(self, state: State, result: Result) -> None:
        await finish(self._shop, self._id, state, result)

    async def _remove(self) -> None:
        try:
            await self._shop.guard.remove(self._id)
        except (GuardDownError, RefusedError) as error:
            self.leaves_container = True
            log.warning("job %s: its container is removed later: %s", self._id, error)


async def finish(shop: Workshop, job_id: str, state: State, result: Result) -> None:
    """Write a job's end down, however long the disk is full, and tell whoever waits for it."""
    while True:
        try:
            record = await shop.desk(Store.finish, job_id, state, result)
            break
        except StoreError as error:
            log.error("job %s: its end cannot be written yet: %s", job_id, error)
            await asyncio.sleep(_AGAIN_SECONDS)
    if record is not None:
        shop.metrics.ended.labels(record.job, state).inc()
        if result.seconds is not None:
            shop.metrics.seconds.labels(record.job).observe(result.seconds)
        log.info("job %s: %s %s: %s", job_id, record.job, state, result.reason or "done")
        try:
            await asyncio.to_thread(shop.reports.write, record)
        except OSError as error:
            log.error("job %s: its report cannot be written: %s", job_id, error)
    shop.told(job_id)


def _result(
    end: End, reason: str, spool: Spool, collected: Collected, container: Container | None
) -> Result:
    return Result(
        exit_code=end.exit_code,
        oom_killed=end.oom_killed,
        reason=reason,
        seconds=round(end.seconds, 3),
        log_bytes=spool.size,
        log_truncated=spool.truncated,
        artifacts=collected.files,
        artifacts_bytes=collected.bytes,
        artifacts_refused=collected.told(),
        usage=container.usage if container else {},
    )
