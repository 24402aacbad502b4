"""The operator's own stacks: judged with the settings, and only where there are any."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from roles import Settings
from roles.stacks.settings import Settings as Stacks
from roles.stacks.stacks import PROJECT, stacks
from tests.unit.stacks.examples import IMAGE, TEMPLATE


def settings(folder: Path, **values: Any) -> Stacks:
    (folder / "web.j2").write_text(TEMPLATE)
    own = {"template": "web.j2", "values": {"name": "web", "image": IMAGE, **values}}
    return Stacks.model_validate({"templates": str(folder), "own": {"web": own}})


def test_a_stack_that_breaks_a_rule_is_an_invalid_setting(tmp_path: Path) -> None:
    assert Settings.relations({"stacks": settings(tmp_path)}) == []
    [problem] = {
        each.path: each
        for each in Settings.relations({"stacks": settings(tmp_path, image="web:latest")})
        if "services.web" in each.path
    }.values()
    assert problem.path == "services.web.image"
    assert problem.origin.startswith("web.j2, rendered, line ")


def test_where_its_file_lies_and_comes_from(tmp_path: Path) -> None:
    [spec] = stacks(settings(tmp_path))
    assert spec.live == "/srv/data/openclaw/web/docker-compose.yml"
    assert spec.folders == (tmp_path,)
    [spec] = stacks(Stacks.model_validate({"own": {"web": {"template": "x", "folder": "a/b"}}}))
    assert spec.live == "/srv/data/openclaw/a/b/docker-compose.yml"
    assert spec.folders == (PROJECT / "stacks",)


def test_a_site_without_stacks_does_not_pay_for_them() -> None:
    heavy = ("jsonschema", "clup.stacks.judged", "clup.operations.stacks")
    script = (
        "import sys\n"
        "from clup.cli import group\n"
        "group.main(['check', 'inventories/example.py'], standalone_mode=False)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", "import atexit, sys\n"
         f"atexit.register(lambda: print([each for each in {heavy} if each in sys.modules]))\n"
         f"{script}"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"
