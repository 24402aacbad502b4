"""The HTTP API of jobs."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.runner import artifacts, spool
from services.runner.asking import cancel_job, run_job, see_job, wait_for_end
from services.runner.door import By, Places, Shop, StayingResponse
from services.runner.errors import ApiError, FaultBody
from services.runner.follow import follow, place_after
from services.runner.scheduler import Scheduler
from services.runner.states import State, is_final
from services.runner.store import Store
from services.runner.views import (
    ArtifactsView,
    ArtifactView,
    CatalogueView,
    JobId,
    JobName,
    JobView,
    Listing,
    RunRequest,
    catalogue_entry,
    job_view,
)

FAULTS: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": FaultBody, "description": "The request is not one that can be done."},
    "5XX": {"model": FaultBody, "description": "The runner cannot do it now."},
}

router = APIRouter(prefix="/v1", responses=FAULTS)

_PIECE = 256 * 1024
_NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}
_KEY = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


def scheduler_of(request: Request) -> Scheduler:
    """Return the application's scheduler."""
    return cast(Scheduler, request.app.state.scheduler)


Queue = Annotated[Scheduler, Depends(scheduler_of)]


@router.post("/jobs/run", status_code=202, summary="Run a job")
async def run(
    shop: Shop,
    queue: Queue,
    caller: By,
    wanted: RunRequest,
    response: Response,
    idempotency_key: Annotated[str | None, Header(description="1 to 128 characters")] = None,
) -> JobView:
    """Put a job into the queue. With the answer 202 it is on disk, and is never forgotten.

    The same Idempotency-Key with the same request gives the same job; with another, 409.
    """
    if idempotency_key is not None and not _KEY.fullmatch(idempotency_key):
        cure = "send 1 to 128 visible ASCII characters"
        raise ApiError(400, "invalid_key", "the Idempotency-Key is none", cure)
    record = await run_job(shop, queue, caller, wanted.job, wanted.parameters, idempotency_key)
    response.headers["Location"] = f"/v1/jobs/{record.id}"
    return job_view(record)


@router.get("/jobs/run", status_code=405, summary="Not this way", responses={405: FAULTS["4XX"]})
async def run_with_get() -> Response:
    """Tell how a job is run: a GET changes nothing."""
    return ApiError(
        405,
        "method_not_allowed",
        "a job is run with POST",
        'POST /v1/jobs/run with {"job": NAME, "parameters": {...}}; GET /v1/jobs lists jobs',
        headers={"Allow": "POST"},
    ).response()


@router.get("/jobs", summary="List jobs")
async def list_jobs(
    shop: Shop,
    caller: By,
    state: State | None = None,
    job: JobName | None = None,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Listing:
    """Return the caller's jobs, the newest first; with `sees: all`, everybody's."""
    whose = None if caller.sees_all else caller.name
    found = await shop.desk(Store.listing, whose, state, job, before, limit)
    more = found[-1].seq if len(found) == limit else None
    return Listing(jobs=[job_view(record) for record in found], before=more)


@router.get("/jobs/{job_id}", summary="See a job")
async def get_job(
    shop: Shop,
    places: Places,
    caller: By,
    job_id: JobId,
    wait: Annotated[int, Query(ge=0, le=60, description="seconds to wait for its end")] = 0,
) -> JobView:
    """Return a job; with `wait`, when it has ended, or after that time as it is then."""
    return job_view(await wait_for_end(shop, places, caller, job_id, wait))


@router.post("/jobs/{job_id}/cancel", status_code=202, summary="End a job")
async def cancel(shop: Shop, queue: Queue, caller: By, job_id: JobId) -> JobView:
    """Ask for a job's end: SIGTERM, and SIGKILL 10 s later. One that has ended stays as it is."""
    return job_view(await cancel_job(shop, queue, caller, job_id))


@router.get(
    "/jobs/{job_id}/logs",
    summary="Read a job's output",
    response_class=Response,
    responses={
        200: {
            "description": "The output as it is, or with `follow` as server-sent events.",
            "content": {"text/plain": {}, "text/event-stream": {}},
        }
    },
)
async def logs(
    shop: Shop,
    places: Places,
    caller: By,
    job_id: JobId,
    follow_it: Annotated[bool, Query(alias="follow")] = False,
    last_event_id: Annotated[str | None, Header()] = None,
) -> Response:
    """Return what a job has printed so far, stdout and stderr as they came.

    With `follow`, events until it has ended: `output` with stream and text, `truncated` when not
    all that it printed is kept, `end` with its state. Last-Event-ID goes on where another request
    broke off.
    """
    record = await see_job(shop, caller, job_id)
    folder = shop.reports.folder(job_id)
    if is_final(record.state) and record.result.log_bytes and not (folder / spool.LOG).exists():
        cure = "ask for newer jobs; the runner's settings say how long logs are kept"
        raise ApiError(410, "log_removed", "the log of this job was removed for its age", cure)
    if not follow_it:
        content = _file(folder / spool.LOG)
        return StreamingResponse(content, media_type="text/plain", headers=_NO_SNIFFING)
    places.take(caller.name)
    response = StayingResponse(
        follow(shop, job_id, place_after(last_event_id)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", **_NO_SNIFFING},
    )
    response.slots, response.caller = places, caller.name
    return response


@router.get("/jobs/{job_id}/artifacts", summary="List a job's artifacts")
async def list_artifacts(shop: Shop, caller: By, job_id: JobId) -> ArtifactsView:
    """Return the files that a job left in /work/artifacts."""
    await see_job(shop, caller, job_id)
    folder = shop.reports.artifacts(job_id)
    found = await asyncio.to_thread(lambda: list(artifacts.listing(folder)))
    return ArtifactsView(artifacts=[ArtifactView(name=name, bytes=size) for name, size in found])


@router.get(
    "/jobs/{job_id}/artifacts/{name:path}",
    summary="Read an artifact",
    response_class=Response,
    responses={200: {"description": "The file.", "content": {"application/octet-stream": {}}}},
)
async def artifact(shop: Shop, caller: By, job_id: JobId, name: str) -> Response:
    """Return a file that a job left."""
    await see_job(shop, caller, job_id)
    folder = shop.reports.artifacts(job_id)
    known = await asyncio.to_thread(lambda: dict(artifacts.listing(folder)))
    if name not in known:
        cure = f"GET /v1/jobs/{job_id}/artifacts lists what it left"
        raise ApiError(404, "unknown_artifact", "the job left no such file", cure)
    headers = {"Content-Disposition": "attachment", **_NO_SNIFFING}
    return StreamingResponse(
        _file(folder / name), media_type="application/octet-stream", headers=headers
    )


@router.get("/catalogue", summary="See what there is to run")
async def catalogue(shop: Shop, caller: By) -> CatalogueView:
    """Return the jobs that the caller may run, each with a JSON Schema of its parameters."""
    current = shop.catalogue.current()
    allowed = [job for name, job in sorted(current.jobs.items()) if caller.may_run(name)]
    return CatalogueView(jobs=[catalogue_entry(job) for job in allowed], digest=current.digest)


async def _file(path: Path) -> AsyncIterator[bytes]:
    """Yield a file's bytes as the reader takes them, as far as it goes now; nothing of one that is
    not there."""
    try:
        descriptor = await asyncio.to_thread(os.open, path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    with os.fdopen(descriptor, "rb") as file:
        left = os.fstat(descriptor).st_size
        while left and (data := await asyncio.to_thread(file.read, min(_PIECE, left))):
            left -= len(data)
            yield data
