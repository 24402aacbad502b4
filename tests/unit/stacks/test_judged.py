"""What is wrong with a stack before anything is contacted, besides what the rules say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clup.stacks.judged import judged, problems
from clup.stacks.spec import Config
from tests.unit.stacks.examples import IMAGE, PAGE, spec


def test_a_stack_that_is_right(tmp_path: Path) -> None:
    made = spec(tmp_path)
    assert problems([made]) == []
    stack = judged(made)
    assert [each.name for each in stack.services] == ["web", "migrate"]
    assert stack.images == (IMAGE,)
    assert [each.live for each in stack.files] == [made.live, PAGE]
    assert stack.services[0].reads(PAGE)
    assert not stack.services[0].reads("/srv/data/openclaw/webs")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"values": {"name": "site", "image": IMAGE}}, "'site' is not web"),
        ({"values": {"name": "web", "image": "web:1"}}, "(rule pinned-image)"),
        ({"values": {"name": "web"}}, "'image' is not defined"),
        ({"template": "wob.j2"}, "did you mean 'web.j2'?"),
        ({"configs": (Config("/etc/web.conf", "x"),)}, "'/etc/web.conf' is no place"),
        ({"configs": (Config("/srv/data/openclaw/clup/x", "x"),)}, "is no place"),
        ({"configs": (Config("/srv/data/openclaw/web/../x", "x"),)}, "is no place"),
        ({"configs": (Config(PAGE, template="gone.j2"),)}, "is no template"),
        ({"configs": (Config("/srv/data/openclaw/web/.env", "A=b"),)}, "environment variables"),
        ({"configs": (Config(PAGE, "API_KEY=swordfish"),)}, "gives API_KEY a value"),
    ],
)
def test_a_stack_that_is_refused(tmp_path: Path, other: dict[str, Any], words: str) -> None:
    found = [str(problem) for problem in problems([spec(tmp_path, **other)])]
    assert any(words in line for line in found), found


def test_two_stacks_cannot_share_a_name_or_a_folder(tmp_path: Path) -> None:
    one, other = spec(tmp_path), spec(tmp_path, at="runner.stack")
    found = [str(problem) for problem in problems([one, other])]
    assert [line.split(";")[0] for line in found] == [
        "At runner.stack: has the name of stacks.own.web",
        "At runner.stack: has the folder of stacks.own.web",
    ]
