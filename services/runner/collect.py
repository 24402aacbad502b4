"""What is brought home from a job's container: its output while it runs, its artifacts after."""

from __future__ import annotations

import asyncio
import logging
import tarfile
from pathlib import Path

from services.jobs import names
from services.runner.artifacts import Collected, extract
from services.runner.changes import Changes
from services.runner.guard import AbsentError, Guard, GuardDownError, RefusedError
from services.runner.multiplex import Frames, StreamError
from services.runner.reports import Reports
from services.runner.spool import Spool

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 1.0
_SILENT_SECONDS = 30.0
_FRAMING = 2**20
"""Bytes that the headers of an archive may have beside its files."""
UNDER_WAY = 2**19
"""Bytes that the guard may have had from Docker, and not have sent, when it breaks off."""


async def spool_output(guard: Guard, job_id: str, spool: Spool, changes: Changes) -> None:
    """Bring a container's output into a spool until it ends or the spool takes no more.

    When the guard goes away in the middle, it is asked again from the beginning, and what is
    spooled already is passed over: the output of a container does not change.
    """
    while True:
        try:
            await _spool_once(guard, job_id, spool, changes)
            return
        except (GuardDownError, TimeoutError) as error:
            log.warning("job %s: its output stopped coming: %s", job_id, error)
        except AbsentError:
            return
        except (RefusedError, StreamError, OSError) as error:
            log.error("job %s: its output cannot be kept: %s", job_id, error)
            spool.cut_off()
            return
        await asyncio.sleep(_AGAIN_SECONDS)


async def _spool_once(guard: Guard, job_id: str, spool: Spool, changes: Changes) -> None:
    frames, known = Frames(), spool.size
    async for data in guard.logs(job_id):
        fresh = []
        for stream, part in frames.feed(data):
            passed = min(known, len(part))
            known -= passed
            if passed < len(part):
                fresh.append((stream, part[passed:]))
        if fresh:
            took_all = await asyncio.to_thread(spool.write_all, fresh)
            changes.tell(job_id)
            if not took_all:
                return


async def rest_of_output(reading: asyncio.Task[None], spool: Spool) -> None:
    """Return when the output of a container that has ended is all there. When nothing more of it
    comes for a while, it counts as truncated."""
    while not reading.done():
        before = spool.size
        await asyncio.wait({reading}, timeout=_SILENT_SECONDS)
        if not reading.done() and spool.size == before:
            spool.cut_off()
            return


async def bring_artifacts(guard: Guard, reports: Reports, job_id: str, limit: int) -> Collected:
    """Bring a container's artifacts into its job's folder, `limit` bytes at most.

    What is wrong with them is told in the result and ends nothing: a job is not undone by its
    artifacts. Raise GuardDownError when the guard went away.
    """
    collected = Collected()
    archive, sketch = reports.archive(job_id), reports.sketch(job_id)
    try:
        await _download(guard, job_id, archive, limit)
        collected = await asyncio.to_thread(extract, archive, sketch, limit)
        if collected.files:
            await asyncio.to_thread(reports.keep_artifacts, job_id)
    except AbsentError:
        pass
    except (RefusedError, TimeoutError) as error:
        collected.refuse(names.ARTIFACTS, f"the guard does not hand it out: {error}")
    except (tarfile.TarError, OSError) as error:
        collected = Collected()
        collected.refuse(names.ARTIFACTS, f"cannot be taken: {error}")
    finally:
        await asyncio.to_thread(reports.discard, job_id)
    return collected


async def _download(guard: Guard, job_id: str, path: Path, limit: int) -> None:
    """Write an archive to a file, `limit` bytes of files at most.

    The guard breaks off an archive that has more, as it does when it goes away: what had come by
    then tells which of both it was.
    """
    size, too_large = 0, OSError(f"it has more than {limit} bytes")
    with path.open("wb") as file:
        try:
            async for data in guard.archive(job_id):
                size += len(data)
                if size > limit + _FRAMING:
                    raise too_large
                await asyncio.to_thread(file.write, data)
        except GuardDownError as error:
            if size > limit - UNDER_WAY:
                raise too_large from error
            raise
