"""What a runner does about jobs that another one before it left, and about containers of nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from contextlib import suppress

from services.runner.attend import MB, finish
from services.runner.collect import rest_of_output, spool_output
from services.runner.guard import AbsentError, RefusedError
from services.runner.records import Record, Result
from services.runner.spool import LOG, Spool
from services.runner.states import is_final
from services.runner.store import Store
from services.runner.workshop import Workshop

log = logging.getLogger(__name__)

_STOP_SECONDS = 10
_OUTPUT_MB = 16
"""What is brought home of the output of a job that has left the catalogue meanwhile."""
_REPORTS = 1000
"""Of so many of the newest jobs it is seen that they have their reports."""


async def recover(shop: Workshop) -> None:
    """End every job that was running when the last runner died, as `interrupted`: it is not run
    again. Then write what reports are missing. Raise GuardDownError; whatever was done stays, and
    the rest is done by the next call."""
    for record in await shop.desk(Store.unfinished, "running"):
        reason = "the runner or the machine died while it was running"
        is_whole = await _save_output(shop, record)
        shop.reports.discard(record.id)
        path = shop.reports.folder(record.id) / LOG
        size = path.stat().st_size if path.exists() else 0
        result = Result(reason=reason, log_bytes=size, log_truncated=not is_whole)
        await finish(shop, record.id, "interrupted", result)
    await reap(shop, attended=())
    await _write_reports(shop)


async def reap(shop: Workshop, attended: Collection[str]) -> bool:
    """Remove the containers of jobs that nobody attends, and return whether none is left: one may
    just be starting, as a runner that is dead asked. Raise GuardDownError."""
    none_left = True
    for container in await shop.guard.containers():
        if container.id in attended:
            continue
        log.warning("job %s: nobody attends its container: it is removed", container.id)
        try:
            with suppress(RefusedError):
                await shop.guard.stop(container.id, _STOP_SECONDS)
            await shop.guard.remove(container.id)
        except RefusedError as error:
            log.error("job %s: its container cannot be removed: %s", container.id, error)
            none_left = False
    return none_left


async def _write_reports(shop: Workshop) -> None:
    """Write what reports of jobs are missing. An end is written down before its report is."""
    ended = [
        record
        for record in await shop.desk(Store.listing, limit=_REPORTS)
        if is_final(record.state)
    ]
    try:
        await asyncio.to_thread(shop.reports.write_missing, ended)
    except OSError as error:
        log.error("not all missing reports can be written: %s", error)


async def _save_output(shop: Workshop, record: Record) -> bool:
    """End a job's container and bring home what it has printed, unless more of it is there already:
    with the container gone, or its output cut by what cut the power, that is all there will be.
    Return whether it is known to be all that the job printed."""
    try:
        await shop.guard.stop(record.id, _STOP_SECONDS)
    except AbsentError:
        return False
    except RefusedError as error:
        log.warning("job %s: cannot be ended yet: %s", record.id, error)
    job = shop.catalogue.current().jobs.get(record.job)
    limit = (job.limits.output_mb if job else _OUTPUT_MB) * MB
    shop.reports.make(record.id)
    spool = Spool(shop.reports.log_sketch(record.id), limit)
    reading = asyncio.create_task(spool_output(shop.guard, record.id, spool, shop.changes))
    try:
        await rest_of_output(reading, spool)
    finally:
        reading.cancel()
        spool.close()
    return await asyncio.to_thread(shop.reports.keep_log, record.id) and not spool.truncated
