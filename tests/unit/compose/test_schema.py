from __future__ import annotations

from importlib.resources import files

import pytest

from clup.compose.document import parse
from clup.compose.schema import SCHEMA, violations

WEB = "services:\n  web:\n    image: x\n"

WRONG = {
    "a misspelt key": (
        "services:\n  web:\n    imge: x\n",
        "At services.web.imge (x, line 3): is no key of the compose specification here; "
        "did you mean 'image'?",
    ),
    "a misspelt key below": (
        WEB + "    healthcheck:\n      tset: x\n",
        "At services.web.healthcheck.tset (x, line 5): is no key of the compose specification "
        "here; did you mean 'test'?",
    ),
    "a misspelt key at the top": (
        WEB + "netwroks: {}\n",
        "At netwroks (x, line 4): is no key of the compose specification here; "
        "did you mean 'networks'?",
    ),
    "a text for a list": (
        WEB + "    cap_drop: ALL\n",
        "At services.web.cap_drop (x, line 4): is a text; write a list",
    ),
    "a number for a text": (
        WEB + "    user: 1000\n",
        "At services.web.user (x, line 4): is a number; write a text",
    ),
    "a word that is none of those": (
        WEB + "    cgroup: hots\n",
        "At services.web.cgroup (x, line 4): is none of what may stand there; write one of host, "
        "private",
    ),
    "an item twice": (
        WEB + "    cap_drop: [ALL, ALL]\n",
        "At services.web.cap_drop (x, line 4): has something twice; remove one",
    ),
    "a mount without a type": (
        WEB + "    volumes:\n      - {source: /x}\n",
        "At services.web.volumes.0 (x, line 5): has no 'type'; add it",
    ),
    "no services": (
        "name: x\n",
        "At services (x, line 1): is missing or empty; name what is to run",
    ),
    "a service that is none": (
        "services:\n  web: 3\n",
        "At services.web (x, line 2): is a number; write a mapping",
    ),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(text: str, expected: str) -> None:
    assert [*map(str, violations(parse(text, "x")))] == [expected]


KINDS = {
    "privileged: []": "is a list; write true or false or a text",
    "use_api_socket: 0": "is a number; write true or false",
    "mem_limit: {}": "is a mapping; write a whole number or a text",
    "pids_limit: true": "is true or false; write a number or a text",
    "cpus: ~": "is nothing; write a number or a text",
    "attach: 1.5": "is a number; write true or false or a text",
    "pid: 1": "is a number; write a text or nothing",
    "umask: -1": "is not as the compose specification has it; minimum: 0",
    "oom_score_adj: 2000": "is not as the compose specification has it; maximum: 1000",
    "container_name: '-'": "is not as the compose specification has it; pattern: "
    "'[a-zA-Z0-9][a-zA-Z0-9_.-]+'",
    "tmpfs: {}": "is in no form that the compose specification knows; "
    "see its reference for that key",
}


@pytest.mark.parametrize(("line", "expected"), KINDS.items())
def test_each_kind_of_value_has_its_words(line: str, expected: str) -> None:
    found = violations(parse(f"{WEB}    {line}\n", "x"))
    assert [*map(str, found)] == [f"At services.web.{line.split(':')[0]} (x, line 4): {expected}"]


def test_a_value_that_may_be_secret_is_not_told() -> None:
    found = violations(parse(WEB + "    environment: [{A: hunter2}]\n    user: [hunter2]\n", "x"))
    assert len(found) == 2
    assert "hunter2" not in "".join(map(str, found))


def test_extensions_are_no_unknown_keys() -> None:
    assert violations(parse(WEB + "    x-mine: 1\nx-ours: 2\n", "x")) == []


def test_the_schema_is_the_one_that_check_jsonschema_vendors() -> None:
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor"
    assert SCHEMA.read_bytes() == (vendored / "compose-spec.json").read_bytes(), (
        "a new one came with the lock: copy it"
    )
    licence = vendored / "licenses" / "LICENSE.compose-spec"
    assert SCHEMA.with_name("LICENSE").read_bytes() == licence.read_bytes()
