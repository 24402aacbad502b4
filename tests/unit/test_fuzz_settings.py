"""Whatever group_data says, the settings come out valid or as problems in words, never as a crash.

The valid settings of the labs are taken apart at random: values deleted, replaced by ones of any
type and size, keys added.
"""

from __future__ import annotations

import copy
import json
import os
import runpy
from dataclasses import asdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pyinfra.api.inventory import Inventory

from clup.cli.target import ROOT
from clup.layers import validate
from clup.settings import merge
from roles import Settings

EXAMPLES = int(os.environ.get("CLUP_FUZZ", "400"))
"""The same 400 cases each time; CLUP_FUZZ=20000 tries so many new ones."""

SECRET = "c2VjcmV0"
PRIVATE_KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----\n"
SECRETS = ("ssh_password", "ssh_key_password")


def group_data(name: str) -> dict[str, Any]:
    """Return what a file of group_data says."""
    said = runpy.run_path(str(ROOT / "group_data" / f"{name}.py"))
    return {key: value for key, value in said.items() if key.isidentifier() and key[:2] != "__"}


VALID = merge(
    group_data("all"), group_data("lab"), {"ssh_port": 22, "ssh_password": SECRET, "engine": {}}
)

ODD = ("", " ", "\n", "\x00", "\x1b[31m", "\ud800", "[red]", "{x}", "%s", "a" * 5000)
NEAR = ("/", "../..", "latest", "0", "-1", "1e9", "True", PRIVATE_KEY, "ssh-ed25519 " + "A" * 300)
TEXTS = st.text(max_size=20) | st.sampled_from(ODD) | st.sampled_from(NEAR)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**30]),
    st.builds(lambda: 10**5000),  # Python does not write it
    st.floats(),
    st.binary(max_size=8),
    TEXTS,
    st.just(object()),
)
KEYS = st.one_of(TEXTS, st.integers(), st.none(), st.booleans(), st.tuples(st.integers()))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner),
        st.dictionaries(KEYS, inner, max_size=3),
        st.sets(st.integers(), max_size=2),
    ),
    max_leaves=6,
)


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """The valid settings after one to four changes at random places."""
    data = copy.deepcopy(VALID)
    for _ in range(draw(st.integers(1, 4))):
        place: Any = data
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], (dict, list)) or draw(st.booleans()):
                break
            place = place[key]
        match draw(st.sampled_from(["delete", "replace", "add"])):
            case "delete" if keys:
                del place[key]
            case "replace" if keys:
                value = draw(VALUES)
                place[key] = [value, SECRET] if key in SECRETS else value
            case _ if isinstance(place, dict):
                place[draw(TEXTS if place is data else KEYS)] = draw(VALUES)
            case _:
                place.append(draw(VALUES))
    return data


def test_what_is_taken_apart_is_valid() -> None:
    assert isinstance(validated(VALID), Settings)


def validated(data: dict[str, Any]) -> Any:
    """Judge these data as those of a host."""
    return validate(Inventory(([("vm", data)], {})).get_host("vm"), Settings)


@settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize="CLUP_FUZZ" not in os.environ
)
@given(broken())
def test_any_data_is_valid_or_told_in_words(data: dict[str, Any]) -> None:
    found = validated(data)
    if isinstance(found, Settings):
        return
    assert found
    for problem in found:
        assert problem.path
        assert problem.reason
        assert problem.cure
        assert str(problem).isprintable(), str(problem)
        assert len(str(problem)) < 2000
        assert SECRET not in str(problem)
        assert json.loads(json.dumps(asdict(problem)))["path"] == problem.path
