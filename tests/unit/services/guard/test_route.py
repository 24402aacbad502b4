from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.guard.refusal import Refusal
from services.guard.route import Call, route
from tests.unit.services.guard.given import ID

CALLS = {
    "GET /_ping": Call("ping"),
    "GET /version": Call("version"),
    "GET /containers/json": Call("list"),
    f"POST /containers/create?name={ID}": Call("create", "", {"name": ID}),
    f"GET /containers/{ID}/json": Call("inspect", ID),
    f"POST /containers/{ID}/start": Call("start", ID),
    f"POST /containers/{ID}/wait": Call("wait", ID),
    f"POST /containers/{ID}/stop": Call("stop", ID),
    f"POST /containers/{ID}/stop?t=60": Call("stop", ID, {"t": "60"}),
    f"POST /containers/{ID}/kill": Call("kill", ID),
    f"GET /containers/{ID}/logs?follow=1&tail=all": Call(
        "logs", ID, {"follow": "1", "tail": "all"}
    ),
    f"GET /containers/{ID}/archive": Call("archive", ID),
    f"DELETE /containers/{ID}": Call("delete", ID),
}

REFUSED = {
    "GET /": 404, "GET /v1.41/version": 404, "GET //version": 404, "GET /version/": 404,
    "GET /_ping/../version": 404, "GET /images/json": 404, "GET /info": 404, "GET /events": 404,
    "GET /_Ping": 404, "GET /CONTAINERS/json": 404, "POST /build": 404, "POST /containers": 404,
    f"POST /containers/{ID}/exec": 404, f"POST /containers/{ID}/attach": 404,
    f"GET /containers/{ID}/export": 404, f"POST /containers/{ID}": 405,
    f"GET /containers/{ID}/json/x": 404, f"PUT /containers/{ID}/archive": 405,
    f"HEAD /containers/{ID}/archive": 405, f"HEAD /containers/{ID}/json": 405,
    "HEAD /_ping": 405, "post /containers/create": 405, "OPTIONS /version": 405,
    "GET /containers/create": 405, "DELETE /containers/json": 405,
    "GET /version?x=1": 400, "GET /_ping?": 400, "GET /containers/json?all=1": 400,
    "GET /containers/json?filters=x": 400, "POST /containers/create": 400,
    "POST /containers/create?name=bot": 400, f"POST /containers/create?name={ID}x": 400,
    f"POST /containers/create?name={ID}&name={ID}": 400,
    f"POST /containers/create?name={ID}&platform=linux": 400,
    f"POST /containers/create?name={ID.upper()}": 400,
    f"POST /containers/create?Name={ID}": 400,
    f"GET /containers/{ID}/logs?follow=true": 400, f"GET /containers/{ID}/logs?tail=-1": 400,
    f"GET /containers/{ID}/logs?since=1": 400, f"GET /containers/{ID}/archive?path=/etc": 400,
    f"POST /containers/{ID}/stop?t=61": 400, f"POST /containers/{ID}/stop?t=-1": 400,
    f"POST /containers/{ID}/kill?signal=9": 400, f"DELETE /containers/{ID}?force=1": 400,
    f"DELETE /containers/{ID}?v=1": 400, f"POST /containers/{ID}/start?checkpoint=x": 400,
    f"GET /containers/{ID}?/json": 405, "GET /ver%73ion": 400, "GET /version#x": 400,
    "GET http://docker/version": 400, "GET *": 400, "GET /version;x": 400, "GET /version\\": 400,
    "GET /version?a?b": 400, "GET ": 400, "GET /" + "a" * 600: 400, "GET /\u212aey": 400,
    "GET /containers/guard/json": 404, f"GET /containers/{ID[:12]}/json": 404,
    f"GET /containers/clup-job-{ID}/json": 404, f"GET /containers/{ID.upper()}/json": 404,
    "GET /containers/ID/json": 404, "DELETE /containers/ID": 404, "GET /containers//json": 404,
    "DELETE /containers/..": 404, f"GET /containers/{ID}{ID}/json": 404,
}  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), CALLS.items())
def test_what_is_served(line: str, expected: Call) -> None:
    assert route(*line.split(" ")) == expected


@pytest.mark.parametrize(("line", "status"), REFUSED.items())
def test_what_is_refused(line: str, status: int) -> None:
    with pytest.raises(Refusal) as raised:
        route(*line.split(" ", 1))
    assert raised.value.status == status


@given(st.sampled_from(["GET", "POST", "DELETE"]), st.text("/_?=&.-%0a:", max_size=60).map(
    lambda text: f"/containers/{text}"))  # fmt: skip
def test_no_target_leads_to_another_id(method: str, target: str) -> None:
    try:
        call = route(method, target)
    except Refusal:
        return
    assert call.id in ("", target.split("/")[2])
