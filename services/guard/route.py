"""Which operation a request asks for, by its method and its target: exactly, or none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.guard.refusal import Refusal, absent
from services.jobs import names

_LONGEST = 512
_TARGET = re.compile(r"[A-Za-z0-9/_?=&.-]+", re.ASCII)
_FOLLOW = {"follow": re.compile(r"[01]"), "tail": re.compile(r"all|[0-9]{1,6}", re.ASCII)}
_SECONDS = {"t": re.compile(r"[0-9]|[1-5][0-9]|60", re.ASCII)}


@dataclass(frozen=True)
class Call:
    """An operation, the job's id where it has one, and the query's values: each has its form."""

    operation: str
    id: str = ""
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Route:
    method: str
    path: str
    operation: str
    query: Mapping[str, re.Pattern[str]] = field(default_factory=dict)


_ROUTES = (
    _Route("GET", "/_ping", "ping"),
    _Route("GET", "/version", "version"),
    _Route("GET", "/containers/json", "list"),
    _Route("POST", "/containers/create", "create", {"name": names.ID}),
    _Route("GET", "/containers/ID/json", "inspect"),
    _Route("POST", "/containers/ID/start", "start"),
    _Route("POST", "/containers/ID/wait", "wait"),
    _Route("POST", "/containers/ID/stop", "stop", _SECONDS),
    _Route("POST", "/containers/ID/kill", "kill"),
    _Route("GET", "/containers/ID/logs", "logs", _FOLLOW),
    _Route("GET", "/containers/ID/archive", "archive"),
    _Route("DELETE", "/containers/ID", "delete"),
)


def route(method: str, target: str) -> Call:
    """Given a request's method and its target as it was sent, return the call. Raise Refusal."""
    if len(target) > _LONGEST or not _TARGET.fullmatch(target) or target.count("?") > 1:
        raise Refusal(400, "target", "the target is no plain path and query; encode nothing in it")
    path, has_query, query = target.partition("?")
    shape, job_id = _shape(path)
    fitting = [each for each in _ROUTES if each.path == shape]
    if not fitting:
        raise Refusal(404, "no_path", "there is no such path; services/README.md lists them all")
    chosen = next((each for each in fitting if each.method == method), None)
    if chosen is None:
        allowed = ", ".join(each.method for each in fitting)
        raise Refusal(405, "method", f"the method is not allowed here; use {allowed}")
    call = Call(chosen.operation, job_id, _query(query if has_query else None, chosen))
    if "/ID" in chosen.path and not names.is_id(job_id):
        raise absent()
    if call.operation == "create" and "name" not in call.query:
        raise Refusal(400, "query", "the query has no name; add ?name=ID, 32 hexadecimal digits")
    return call


def _shape(path: str) -> tuple[str, str]:
    """Return a path with ID where a container is named, and what stands there."""
    parts = path.split("/")
    if len(parts) in (3, 4) and parts[1] == "containers" and path not in _FIXED:
        return "/".join([*parts[:2], "ID", *parts[3:]]), parts[2]
    return path, ""


_FIXED = {each.path for each in _ROUTES if "ID" not in each.path}


def _query(text: str | None, chosen: _Route) -> dict[str, str]:
    values: dict[str, str] = {}
    for pair in [] if text is None else text.split("&"):
        key, _, value = pair.partition("=")
        form = chosen.query.get(key)
        if form is None or key in values or not form.fullmatch(value):
            known = ", ".join(f"{name}={form.pattern}" for name, form in chosen.query.items())
            raise Refusal(400, "query", f"the query is not allowed; known here: {known or 'none'}")
        values[key] = value
    return values
