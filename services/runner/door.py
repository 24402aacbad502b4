"""What every request passes: how large it may be, whose it is, and how many wait already."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Annotated, cast

from fastapi import Depends, Request, Security
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.runner.callers import Caller
from services.runner.errors import ApiError
from services.runner.turns import RETRY_SECONDS
from services.runner.workshop import Workshop

LARGEST = 64 * 1024
"""Bytes of a request's body."""
_BODY_SECONDS = 10.0


class SmallBodies:
    """Refuses requests whose body is large or slow, before anything reads it."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                first = await _whole_body(receive)
        except TimeoutError:
            cure = f"send all of it within {_BODY_SECONDS:.0f} s"
            error = ApiError(408, "slow_body", "the request's body did not come", cure)
            await error.response()(scope, receive, send)
            return
        if first is None:
            cure = f"send at most {LARGEST} bytes"
            error = ApiError(413, "large_body", "the request's body is too large", cure)
            await error.response()(scope, receive, send)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return first

        await self._app(scope, replay, send)


async def _whole_body(receive: Receive) -> Message | None:
    """Return a request's body as one message; None when it is too large."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return message
        body += message.get("body", b"")
        if len(body) > LARGEST:
            return None
        if not message.get("more_body", False):
            return {"type": "http.request", "body": body, "more_body": False}


def workshop(request: Request) -> Workshop:
    """Return what the application works with."""
    return cast(Workshop, request.app.state.workshop)


Shop = Annotated[Workshop, Depends(workshop)]

_BEARER = HTTPBearer(auto_error=False, description="The caller's token.")


async def known_caller(
    shop: Shop, given: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
) -> Caller:
    """Return whose token came with the request. Raise ApiError when it is nobody's."""
    return _let_in(shop, given.credentials if given else None)


def caller_of(shop: Workshop, scope: Scope) -> Caller:
    """Return whose token came with a request that no route takes. Raise ApiError."""
    scheme, token = get_authorization_scheme_param(Headers(scope=scope).get("Authorization"))
    return _let_in(shop, token if scheme.lower() == "bearer" else None)


def _let_in(shop: Workshop, token: str | None) -> Caller:
    caller = shop.callers.current().find(token) if token else None
    if caller is None:
        shop.metrics.refused.labels("unauthorized").inc()
        raise ApiError(
            401,
            "unauthorized",
            "the request has no token of a caller",
            "send Authorization: Bearer TOKEN",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return caller


By = Annotated[Caller, Depends(known_caller)]


class Slots:
    """Places for requests that stay long: so many in all, and a quarter of them for one caller."""

    def __init__(self, most: int):
        self._most = most
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """How many stay."""
        return self._taken.total()

    def take(self, caller: str) -> None:
        """Take a place for a caller. Raise ApiError when there is none."""
        if self.taken >= self._most or self._taken[caller] >= max(1, self._most // 4):
            raise ApiError(
                429,
                "too_many_followers",
                "too many requests wait or follow already",
                "end one of them, or ask again later",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        self._taken[caller] += 1

    def give_back(self, caller: str) -> None:
        """Give a place back."""
        self._taken[caller] -= 1


def slots(request: Request) -> Slots:
    """Return the application's places."""
    return cast(Slots, request.app.state.slots)


Places = Annotated[Slots, Depends(slots)]


class StayingResponse(StreamingResponse):
    """A stream that gives its place back, also when it was never begun."""

    slots: Slots
    caller: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.slots.give_back(self.caller)
