from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.jobs import JobError, Limits, read_job
from tests.unit.services.jobs.clean import CLEAN, GONE, IMAGE, written


def test_a_clean_file_is_read_whole() -> None:
    job = read_job(written(), "audit", "x")
    assert (job.name, job.image, job.trust, job.cache) == ("audit", IMAGE, "untrusted", "gradle")
    assert job.command == ("/opt/jobs/audit", "--strict")
    assert job.limits == Limits(seconds=60, memory_mb=128, cpus=0.5)
    assert job.has_workspace


def test_what_may_be_left_out_has_its_default() -> None:
    left_out = {"parameters": GONE, "limits": GONE, "cache": GONE}
    job = read_job(written(left_out), "audit", "x")
    assert (job.parameters, job.limits, job.cache) == ({}, Limits(), "none")
    assert not job.has_workspace


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a key too much": ({"comand": 1}, "At comand: is not a known key; did you mean 'co"),
    "a key too few": ({"image": GONE}, "At image: is required; add it"),
    "another name": ({"job": "build"}, "At job: 'build' is not the file's name; wri"),
    "two lines": ({"description": "a\nb"}, "At description: 'a\\nb' has not the form"),
    "a tag": ({"image": "debian:13"}, "'debian:13' has not the form that it needs; pin it"),
    "no tag at all": ({"image": "debian"}, "pin it"),
    "a short digest": ({"image": "sha256:12"}, "pin it"),
    "a tag and a digest": ({"image": "x/y:latest@" + IMAGE}, "has a tag beside its digest"),
    "a port and a tag": ({"image": "h:5000/x:1@" + IMAGE}, "has a tag beside its digest"),
    "a command as a text": ({"command": "sh -c id"}, "At command: 'sh -c id' is no li"),
    "no command": ({"command": []}, "is no list of 1 to 64 texts"),
    "a number in a command": ({"command": ["a", 1]}, "At command.1: 1 is no text"),
    "an empty word": ({"command": [""]}, "At command.0"),
    "a zero byte": ({"command": ["a\0"]}, "At command.0"),
    "another trust": ({"trust": "full"}, "choose one of untrusted, trusted"),
    "another cache": ({"cache": "npm"}, "choose one of none, gradle"),
    "a trust that is a list": ({"trust": ["trusted"]}, "At trust"),
    "parameters as a list": ({"parameters": []}, "At parameters: is no mapping"),
    "a parameter's name": ({"parameters.PATH": {"kind": "workspace"}}, "is no parameter's name"),
    "a parameter as text": ({"parameters.a": "enum"}, "At parameters.a: 'enum' is no"),
    "no kind": ({"parameters.a": {}}, "At parameters.a.kind"),
    "another kind": ({"parameters.a": {"kind": "path"}}, "'path' is none of the possible"),
    "a key of another kind": (
        {"parameters.level.minimum": 1}, "At parameters.level.minimum: is not a known"
    ),
    "no values": ({"parameters.level.values": GONE}, "At parameters.level.values"),
    "empty values": ({"parameters.level.values": []}, "is no list of 1 to 64 texts"),
    "values twice": ({"parameters.level.values": ["low", "low"]}, "has a value twice"),
    "a value with a line's end": ({"parameters.level.values": ["low\n"]}, "At parameters.level.va"),
    "a number as a value": ({"parameters.level.values": ["low", 1]}, "1 is no text; put it in qu"),
    "a wrong default": ({"parameters.level.default": "lo"}, "choose one of low, high"),
    "a default out of bounds": ({"parameters.depth.default": 51}, "At parameters.depth.default"),
    "true as a number": ({"parameters.depth.default": True}, "True is no whole number"),
    "bounds the wrong way": ({"parameters.depth.maximum": 0}, "0 is less than minimum (1)"),
    "no pattern": ({"parameters.ref.pattern": "("}, "At parameters.ref.pattern"),
    "a pattern without bounds": ({"parameters.ref.pattern": "a+"}, "'a+' repeats without a bound"),
    "a pattern that is no text": ({"parameters.ref.pattern": 5}, "5 is no text"),
    "an unknown limit": ({"limits.memory": 1}, "did you mean 'memory_mb'?"),
    "no limit of time": ({"limits.seconds": 0}, "0 is out of bounds; choose 1 to 86400"),
    "a limit without end": ({"limits.pids": -1}, "At limits.pids"),
    "a limit as a text": ({"limits.memory_mb": "512m"}, "'512m' is no whole number"),
    "half a process": ({"limits.pids": 9.5}, "9.5 is no whole number"),
    "processors as a text": ({"limits.cpus": "all"}, "'all' is no number; write one of"),
    "no processor": ({"limits.cpus": 0}, "At limits.cpus"),
    "artifacts beyond the disk": (
        {"limits.disk_mb": 10, "limits.artifacts_mb": 11}, "11 is more than disk_mb (10)"
    ),
    "limits as a number": ({"limits": 5}, "At limits: 5 is no mapping"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(JobError) as raised:
        read_job(written(changes), "audit", "x")
    assert expected in re.sub(r" \(x, line \d+\)", "", str(raised.value))
    assert len(raised.value.problems) == 1


def test_all_problems_are_told_at_once() -> None:
    changes = {"image": "x", "limits.cpus": "x", "parameters.ref.pattern": "*", "command": GONE}
    with pytest.raises(JobError) as raised:
        read_job(written(changes), "audit", "x")
    paths = [problem.path for problem in raised.value.problems]
    assert paths == ["command", "image", "limits.cpus", "parameters.ref.pattern"]


GIVEN: dict[str, tuple[dict[str, object], dict[str, str]]] = {
    "only what is required": (
        {"ref": "main", "repository": "clup"},
        {"PARAM_LEVEL": "low", "PARAM_DEPTH": "5", "PARAM_REF": "main",
         "PARAM_REPOSITORY": "/repo/clup"},
    ),
    "all": (
        {"level": "high", "depth": 50, "ref": "v1.2", "repository": "_x.y-z"},
        {"PARAM_LEVEL": "high", "PARAM_DEPTH": "50", "PARAM_REF": "v1.2",
         "PARAM_REPOSITORY": "/repo/_x.y-z"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), GIVEN.values(), ids=GIVEN)
def test_parameters_become_environment(given: dict[str, object], expected: dict[str, str]) -> None:
    assert read_job(written(), "audit", "x").environment(given) == expected


UNFIT: dict[str, tuple[str, object]] = {
    "another word": ("level", "medium"),
    "a word in capitals": ("level", "LOW"),
    "a word with a line's end": ("level", "low\n"),
    "a list of words": ("level", ["low"]),
    "null": ("level", None),
    "a mapping": ("level", {"low": 1}),
    "a number as text": ("depth", "5"),
    "true": ("depth", True),
    "a fraction": ("depth", 5.0),
    "too small": ("depth", 0),
    "too large": ("depth", 10**30),
    "a shell": ("ref", "$(id)"),
    "a quote": ("ref", "a'b"),
    "a line's end": ("ref", "main\n"),
    "nothing": ("ref", ""),
    "too long": ("ref", "a" * 41),
    "another alphabet": ("ref", "m\u0430in"),
    "a wide digit": ("ref", "\uff11"),
    "a zero byte": ("ref", "a\0b"),
    "a way up": ("repository", ".."),
    "the folder itself": ("repository", "."),
    "a hidden folder": ("repository", ".git"),
    "a path": ("repository", "a/b"),
    "a root": ("repository", "/"),
    "an option": ("repository", "-rf"),
    "a name with a line's end": ("repository", "a\n"),
    "a name too long": ("repository", "a" * 65),
}


@pytest.mark.parametrize(("name", "value"), UNFIT.values(), ids=UNFIT)
def test_values_that_do_not_fit(name: str, value: object) -> None:
    job = read_job(written(), "audit", "x")
    with pytest.raises(JobError, match=f"^At parameters.{name}: "):
        job.environment({"ref": "main", "repository": "clup", name: value})


def test_unknown_and_missing_parameters_are_told_together() -> None:
    job = read_job(written(), "audit", "x")
    with pytest.raises(JobError) as raised:
        job.environment({"PATH": "/tmp", "level": "x"})
    assert [str(each) for each in raised.value.problems] == [
        "At parameters.PATH: is no parameter of this job; known: level, depth, ref, repository",
        "At parameters.level: 'x' is none of the possible; choose one of low, high",
        "At parameters.ref: is required; give it",
        "At parameters.repository: is required; give it",
    ]


def test_the_schema_of_parameters() -> None:
    schema = read_job(written(), "audit", "x").schema()
    assert schema["required"] == ["ref", "repository"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["depth"] == {
        "type": "integer", "minimum": 1, "maximum": 50, "default": 5,
    }  # fmt: skip
    assert schema["properties"]["repository"]["description"] == "what to read"


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
_PLACES = [*CLEAN, "parameters.level", "parameters.depth.kind", "limits.cpus"]


@given(st.dictionaries(st.sampled_from([*CLEAN["parameters"], "x"]), _SCALARS, max_size=5))
def test_any_parameters_are_taken_or_refused(given: dict[str, object]) -> None:
    job = read_job(written(), "audit", "x")
    try:
        environment = job.environment(given)
    except JobError:
        return
    assert all(text.isascii() and text.isprintable() for text in environment.values())


@given(_SCALARS | st.lists(_SCALARS, max_size=3), st.sampled_from(_PLACES))
def test_any_value_anywhere_is_read_or_refused(value: object, path: str) -> None:
    try:
        job = read_job(written({path: value}), "audit", "x")
    except JobError:
        return
    assert job.name == "audit"
