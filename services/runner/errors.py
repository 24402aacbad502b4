"""What is answered instead of a result: one shape for all of it."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException


class Fault(BaseModel):
    """Why there is no result."""

    code: str
    """A word that stays the same, for programs."""
    message: str
    """What is wrong, for people."""
    cure: str
    """What to do about it."""
    problems: list[str] = []
    """Each thing that is wrong, where there are several."""


class FaultBody(BaseModel):
    """The body of every answer that is no result."""

    error: Fault


class ApiError(Exception):
    """Ends a request with a status and a fault."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        cure: str,
        *,
        problems: list[str] | None = None,
        headers: Mapping[str, str] | None = None,
    ):
        super().__init__(message)
        self.status = status
        self.fault = Fault(code=code, message=message, cure=cure, problems=problems or [])
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """Return it as an answer."""
        body = FaultBody(error=self.fault).model_dump()
        return JSONResponse(body, self.status, self.headers)


_OF_STATUS = {
    404: ("not_found", "there is nothing here", "see /openapi.json for what there is"),
    405: ("method_not_allowed", "this cannot be done here", "use a method of the header Allow"),
}


async def on_api_error(_: Request, error: Exception) -> JSONResponse:
    """Answer what a route raised."""
    assert isinstance(error, ApiError)
    return error.response()


async def on_http_error(_: Request, error: Exception) -> JSONResponse:
    """Answer what the framework raised: no such route, no such method, a body that is no JSON."""
    assert isinstance(error, HTTPException)
    otherwise = ("bad_request", str(error.detail), "send what /openapi.json describes")
    code, message, cure = _OF_STATUS.get(error.status_code, otherwise)
    return ApiError(error.status_code, code, message, cure, headers=error.headers).response()


async def on_failure(_: Request, __: Exception) -> JSONResponse:
    """Answer when the runner itself failed; its log has the traceback."""
    return ApiError(
        500, "failure", "the runner failed", "see its log, and tell its author"
    ).response()


async def on_invalid(_: Request, error: Exception) -> JSONResponse:
    """Answer a request that has not the form of its route. What was sent is not repeated: it may
    be a secret in the wrong place."""
    assert isinstance(error, RequestValidationError)
    problems = [
        f"At {'.'.join(str(part) for part in each['loc'])[:200]}: {each['msg']}"
        for each in error.errors()[:20]
    ]
    return ApiError(
        400,
        "invalid_request",
        "the request has not the form that it needs",
        "send what /openapi.json describes",
        problems=problems,
    ).response()
