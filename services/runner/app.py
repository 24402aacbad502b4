"""The application: everything of the runner put together, and taken apart at its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated, cast

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Route

from services.jobs import Catalogue
from services.runner import errors, metrics, settings
from services.runner.agents import Agents
from services.runner.callers import Callers
from services.runner.desk import Desk
from services.runner.door import By, Places, Shop, Slots, SmallBodies
from services.runner.errors import ApiError
from services.runner.export import Exporter
from services.runner.guard import Guard
from services.runner.health import Doctor
from services.runner.metrics import Metrics
from services.runner.reports import Reports
from services.runner.routes import FAULTS, router
from services.runner.scheduler import Scheduler
from services.runner.settings import Settings
from services.runner.store import Store, StoreError, utc_now
from services.runner.views import HealthView
from services.runner.workshop import Workshop

log = logging.getLogger(__name__)

SERVICE = "openclaw-runner"

operation = APIRouter()


def create(chosen: Settings) -> FastAPI:
    """Given the settings, return the application. Raise SettingsError, StoreError when it cannot
    work with them."""
    settings.prepare(chosen)
    desk = Desk(Store(chosen.database))
    shop = Workshop(
        settings=chosen,
        desk=desk,
        guard=Guard(chosen.guard_url, chosen.guard_key_file),
        catalogue=Catalogue(chosen.jobs, chosen.jobs_owner),
        callers=Callers(chosen.tokens),
        reports=Reports(chosen.reports, chosen.tmp),
        exporter=Exporter(desk, chosen.audit),
        metrics=Metrics(),
    )
    app = FastAPI(
        title="clup job runner",
        version="1",
        description="Runs jobs of a catalogue, each in a container of its own.",
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.workshop = shop
    app.state.scheduler = Scheduler(shop)
    app.state.doctor = Doctor(shop, app.state.scheduler)
    app.state.slots = Slots(chosen.followers)
    app.include_router(router)
    app.include_router(operation)
    app.state.agents = Agents(shop, app.state.scheduler, app.state.slots)
    app.router.routes.append(Route("/mcp", endpoint=app.state.agents, include_in_schema=False))
    app.add_exception_handler(ApiError, errors.on_api_error)
    app.add_exception_handler(HTTPException, errors.on_http_error)
    app.add_exception_handler(RequestValidationError, errors.on_invalid)
    app.add_exception_handler(Exception, errors.on_failure)
    app.add_exception_handler(StoreError, _on_store_error)
    app.add_middleware(SmallBodies)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Have scheduler and export at work as long as the application lives.

    Jobs that run when it ends are left alone: the next runner ends them as interrupted, in the one
    way that a killed runner's are ended too.
    """
    shop = cast(Workshop, app.state.workshop)
    tasks = [
        asyncio.create_task(_for_ever("scheduler", app.state.scheduler.run)),
        asyncio.create_task(_for_ever("export", shop.exporter.run)),
    ]
    try:
        async with app.state.agents.sessions.run():
            yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await shop.guard.close()
        shop.desk.close()


async def _for_ever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Begin a part's work again, should it ever end."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("%s: failed; begins again", name)
        await asyncio.sleep(1)


async def _on_store_error(_: Request, error: Exception) -> JSONResponse:
    cure = "make room on the disk, then ask again"
    headers = {"Retry-After": "10"}
    return ApiError(503, "storage", str(error), cure, headers=headers).response()


def doctor_of(request: Request) -> Doctor:
    """Return the application's doctor."""
    return cast(Doctor, request.app.state.doctor)


@operation.get(
    "/healthz",
    summary="How the runner is",
    response_model_exclude_none=True,
    responses={503: {"model": HealthView, "description": "It is not ok; `reason` says why."}},
)
async def healthz(
    shop: Shop, doctor: Annotated[Doctor, Depends(doctor_of)], response: Response
) -> HealthView:
    """Tell whether jobs can be run now: whether the guard, and Docker behind it, answer."""
    health = await doctor.look()
    if health.reasons:
        response.status_code = 503
    return HealthView(
        ok=not health.reasons,
        service=SERVICE,
        time_utc=utc_now(),
        docker_host=shop.settings.docker_host,
        data_dir=str(shop.settings.data_dir),
        cache_dir=str(shop.settings.cache_dir),
        reason="; ".join(health.reasons) or None,
        problems=list(health.problems) or None,
    )


@operation.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses=FAULTS | {200: {"description": "Figures.", "content": {"text/plain": {}}}},
)
async def figures(
    shop: Shop, places: Places, doctor: Annotated[Doctor, Depends(doctor_of)], _: By
) -> Response:
    """Return the runner's figures, to any caller."""
    await doctor.look()
    shop.metrics.followers.set(places.taken)
    return Response(shop.metrics.text(), media_type=metrics.CONTENT_TYPE)
