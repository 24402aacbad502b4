"""What `verify` says of a stack beside what its files and its containers are."""

from __future__ import annotations

from pathlib import Path

import pytest

from clup.facts.stacks import StacksState
from clup.stacks.checks import private
from clup.stacks.judged import judged
from tests.unit.stacks.examples import container, spec

INSIDE = ["web_inside"]


@pytest.mark.parametrize(
    ("networks", "found"),
    [
        ({"web": INSIDE, "idle": ["other"]}, ""),
        ({"web": INSIDE, "idle": ["other", *INSIDE]}, "found 'web-idle-1', 'web-web-1'"),
        ({"web": ["other"]}, "found nothing"),
    ],
)
def test_who_is_in_a_network_of_its_own(
    tmp_path: Path, networks: dict[str, list[str]], found: str
) -> None:
    stack = judged(spec(tmp_path, private={"web_inside": ("web-web-1",)}))
    there = tuple(container(name, networks=each) for name, each in networks.items())
    [result] = private("stacks", stack, StacksState(docker=True, containers=there))
    assert result.found.startswith(found)
    assert result.status == ("failed" if found else "passed")
