"""What callers ask for, judged and done: for the HTTP API and for MCP alike."""

from __future__ import annotations

import time
from collections.abc import Mapping

from services.jobs import JobError, names
from services.jobs.pattern import LONGEST
from services.jobs.problem import Problem, dotted, shown
from services.jobs.secret import known_secret
from services.runner.callers import Caller
from services.runner.door import Slots
from services.runner.errors import ApiError
from services.runner.records import Parameters, Record, Request
from services.runner.scheduler import Scheduler
from services.runner.states import is_final
from services.runner.store import KeyReusedError, QueueFullError, Store, TooOftenError
from services.runner.turns import HOURLY, RETRY_SECONDS
from services.runner.workshop import Workshop


def unknown_job(job_id: str) -> ApiError:
    """Return the answer for a job that is not there, or is another's."""
    return ApiError(
        404, "unknown_job", f"there is no job {shown(job_id)}", "GET /v1/jobs lists yours"
    )


async def run_job(
    shop: Workshop,
    scheduler: Scheduler,
    caller: Caller,
    job: str,
    parameters: Parameters,
    key: str | None = None,
) -> Record:
    """Put a job into the queue. When this returns, it is on disk. Raise ApiError."""
    known = shop.catalogue.current().jobs.get(job)
    if not caller.may_run(job):
        cure = "GET /v1/catalogue lists what you may run"
        raise ApiError(403, "forbidden_job", f"{caller.name} may not run {shown(job)}", cure)
    if known is None:
        cure = "GET /v1/catalogue lists the jobs"
        raise ApiError(
            404, "unknown_job_name", f"there is no job {shown(job)} in the catalogue", cure
        )
    if held := _held_secrets(parameters):
        message = "a parameter holds what looks like a secret"
        cure = "send none: parameters are kept in state, audit and report; replace it if it is real"
        raise ApiError(400, "secret_parameter", message, cure, problems=held)
    try:
        known.environment(parameters)
    except JobError as error:
        problems = [str(problem) for problem in error.problems]
        message = "the parameters are not what the job takes"
        cure = "send what its schema in GET /v1/catalogue describes"
        raise ApiError(422, "invalid_parameters", message, cure, problems=problems) from error
    # With what it has by default today: the job and its audit line say all of it.
    whole = {name: each.default for name, each in known.parameters.items()} | dict(parameters)
    request = Request(job, without_none(whole), caller.name, known.image, key)
    try:
        record, is_new = await shop.desk(
            Store.accept, request, caller.queued, shop.settings.queued, HOURLY
        )
    except KeyReusedError as error:
        message = f"this Idempotency-Key came with another request before, job {error.record.id}"
        cure = "use a new key for a new request"
        raise ApiError(409, "idempotency_key_reused", message, cure) from error
    except QueueFullError as error:
        raise _later(shop, "queue_full", "as many jobs wait as may") from error
    except TooOftenError as error:
        message = f"{HOURLY} jobs of {caller.name} were accepted within the last hour"
        raise _later(shop, "too_many_jobs", message) from error
    if is_new:
        shop.metrics.accepted.labels(job, caller.name).inc()
        shop.told(record.id)
        scheduler.wake()
    return record


def _held_secrets(parameters: Parameters) -> list[str]:
    """Return where parameters hold secrets, and of which kind; a value is not repeated."""
    # No parameter takes a longer text, and no message repeats more of one.
    texts = {name: value[:LONGEST] for name, value in parameters.items() if isinstance(value, str)}
    cure = "give what it takes without a secret"
    return [
        str(Problem(dotted(("parameters", name)), "", f"holds what looks like {what}", cure))
        for name, text in texts.items()
        if (what := known_secret(text))
    ]


def _later(shop: Workshop, code: str, message: str) -> ApiError:
    shop.metrics.refused.labels(code).inc()
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return ApiError(429, code, message, "ask again later", headers=headers)


def without_none(parameters: Mapping[str, str | int | None]) -> Parameters:
    """Return parameters as far as they are there."""
    return {name: value for name, value in parameters.items() if value is not None}


async def see_job(shop: Workshop, caller: Caller, job_id: str) -> Record:
    """Return a job of the caller's. Raise ApiError: that of others is as if it were not there."""
    record = await shop.desk(Store.get, job_id) if names.is_id(job_id) else None
    if record is None or not (caller.sees_all or record.caller == caller.name):
        raise unknown_job(job_id)
    return record


async def cancel_job(shop: Workshop, scheduler: Scheduler, caller: Caller, job_id: str) -> Record:
    """End a job of the caller's; one that has ended stays as it is. Raise ApiError."""
    await see_job(shop, caller, job_id)
    record = await shop.desk(Store.cancel, job_id, caller.name)
    scheduler.cancel(job_id)
    shop.told(job_id)
    return record


async def wait_for_end(
    shop: Workshop, slots: Slots, caller: Caller, job_id: str, seconds: float
) -> Record:
    """Return a job of the caller's when it has ended, or after so many seconds. Raise ApiError."""
    until = time.monotonic() + seconds
    record = await see_job(shop, caller, job_id)
    if seconds <= 0 or is_final(record.state):
        return record
    slots.take(caller.name)
    try:
        with shop.changes.watching(job_id) as watch:
            while True:
                record = await see_job(shop, caller, job_id)
                left = until - time.monotonic()
                if is_final(record.state) or left <= 0:
                    return record
                await watch.changed(left)
    finally:
        slots.give_back(caller.name)
