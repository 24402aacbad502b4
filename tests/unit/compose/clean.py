"""A compose file and a container that break no rule, and what is found when they are changed."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from clup.compose.document import parse
from clup.compose.judge import Finding
from clup.compose.schema import violations
from clup.compose.service import NOTHING, Entrusted
from clup.compose.stack import judge_container, judge_file
from tests.unit.compose.bad import GONE

HERE = Path(__file__).parent
CLEAN = parse((HERE / "clean.yaml").read_text(encoding="utf-8"), "clean.yaml")
CONTAINER = json.loads((HERE / "clean.json").read_text(encoding="utf-8"))
GUARDS = {"dkr-claw-socket-proxy"}


def changed(data: Any, below: str, place: str, value: Any) -> Any:
    """Return a copy of data with a value at a place, which is `below` unless it begins with /."""
    *above, key = whole(below, place).split(".")
    part = data = copy.deepcopy(data)
    for step in above:
        part = part.setdefault(step, {})
    if value is GONE:
        del part[key]
    else:
        part[key] = value
    return data


def whole(below: str, place: str) -> str:
    return place[1:] if place.startswith("/") else f"{below}.{place}"


def found_in_file(place: str, value: Any, entrusted: Entrusted = NOTHING) -> list[Finding]:
    document = parse(json.dumps(changed(CLEAN.data, "services.web", place, value)), "compose.yaml")
    assert violations(document) == [], "the change is no compose file any more"
    return judge_file(document, GUARDS, entrusted)


def found_live(place: str, value: Any, entrusted: Entrusted = NOTHING) -> list[Finding]:
    inspected = changed(CONTAINER, "HostConfig", place, value)
    return judge_container(inspected, GUARDS, entrusted=entrusted)


def rules(findings: list[Finding]) -> set[str]:
    return {finding.rule for finding in findings}
