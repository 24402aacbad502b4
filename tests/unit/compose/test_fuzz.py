"""Whatever a file or a container says, it is judged: no rule and no reader raises."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from clup.compose.document import Document, parse
from clup.compose.schema import SCHEMA, violations
from clup.compose.stack import judge_container, judge_file

HERE = Path(__file__).parent
LIVE = json.loads((HERE / "clean.json").read_text(encoding="utf-8"))
KEYS = sorted({*re.findall(r'"([a-z_]{3,20})":', SCHEMA.read_text(encoding="utf-8")), "web", ""})
INSPECTED = sorted(set(re.findall(r'"([A-Z]\w+)":', (HERE / "clean.json").read_text())))
WORDS = [
    "host",
    "true",
    "/etc",
    "a:b:c",
    "=",
    "${X}",
    "sha256:",
    "[::1]:1:2",
    "0:0",
    "1e999",
    "64m",
]

EXAMPLES = int(os.environ.get("CLUP_FUZZ", "100"))
"""The same 100 cases each time; CLUP_FUZZ=20000 tries so many new ones."""

fuzzed = settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize="CLUP_FUZZ" not in os.environ
)
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(WORDS)
)


def values(keys: list[str]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(keys) | st.text()
    return st.recursive(
        scalars, lambda below: st.lists(below) | st.dictionaries(names, below), max_leaves=15
    )


def mappings(keys: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(keys) | st.text(), values(keys))


services = mappings(KEYS).map(lambda said: {"services": {"web": said}})


@fuzzed
@given(services | mappings(KEYS), mappings(KEYS))
def test_any_mapping_is_judged(data: dict[str, Any], more: dict[str, Any]) -> None:
    document = Document("x", more | data, {})
    violations(document)
    for finding in judge_file(document):
        assert "\n" not in str(finding)


@fuzzed
@given(st.fixed_dictionaries({key: values(INSPECTED) for key in LIVE}) | values(INSPECTED))
def test_anything_inspected_is_judged(inspected: Any) -> None:
    assert judge_container(inspected)


@fuzzed
@given(st.sampled_from(sorted(LIVE["HostConfig"])), values(INSPECTED))
def test_one_odd_value_of_a_container_is_judged(key: str, value: Any) -> None:
    judge_container(LIVE | {"HostConfig": LIVE["HostConfig"] | {key: value}})


@fuzzed
@given(st.sampled_from(KEYS), values(KEYS))
def test_one_odd_value_of_a_service_is_judged(key: str, value: Any) -> None:
    data = dict(parse((HERE / "clean.yaml").read_text(encoding="utf-8"), "x").data)
    web = data["services"]["web"] | {key: value}
    judge_file(Document("x", data | {"services": {"web": web}}, {}))
