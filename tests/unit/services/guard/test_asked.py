from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.guard.asked import asked
from services.guard.refusal import Refusal
from tests.unit.services.guard.given import ASKED, ID, request

GOOD = json.dumps(request())


def test_four_labels_are_read() -> None:
    assert asked(GOOD.encode(), ID) == ASKED


def label(name: str, value: object) -> str:
    return json.dumps(request(**{name: value}))


REFUSED = {
    "nothing": "",
    "no JSON": "{",
    "a list": f"[{GOOD}]",
    "a second document": GOOD + GOOD,
    "a key beside": json.dumps(request() | {"HostConfig": {"Privileged": True}}),
    "a legacy key beside": json.dumps(request() | {"Binds": ["/:/host"]}),
    "a key in another case": GOOD.replace("Labels", "labels"),
    "a key folded by Unicode": GOOD.replace("Labels", "Label\u017f"),
    "Labels twice": '{"Labels": {}, ' + GOOD[1:],
    "a label twice": GOOD.replace('"clup.job":', '"clup.job": "x", "clup.job":'),
    "a label more": label("com.docker.x", "y"),
    "a label less": json.dumps({"Labels": {"clup.job": "audit"}}),
    "a label that is a number": label("clup.job", 5),
    "a label that is null": label("clup.job", None),
    "another id": label("clup.job.id", "f" * 32),
    "no head": label("clup.audit.head", ""),
    "a head with a line's end": label("clup.audit.head", "a" * 64 + "\n"),
    "parameters as a list": label("clup.job.parameters", "[]"),
    "parameters that are no JSON": label("clup.job.parameters", "ref=main"),
    "parameters twice": label("clup.job.parameters", '{"ref": "a", "ref": "b"}'),
    "parameters without end": label("clup.job.parameters", '{"depth": Infinity}'),
    "depth": label("clup.job.parameters", "[" * 20_000),
    "a number of many digits": label("clup.job.parameters", '{"depth": ' + "9" * 5000 + "}"),
    "a mark of order": "\ufeff" + GOOD,
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as raised:
        asked(text.encode(), ID)
    assert (raised.value.status, raised.value.code) == (400, "body")


@given(st.binary(max_size=40) | st.binary(max_size=40).map(lambda noise: GOOD.encode() + noise))
def test_any_bytes_are_refused_or_the_same(body: bytes) -> None:
    try:
        assert asked(body, ID) == ASKED
    except Refusal:
        return
