"""Each role refuses the settings of its list, by their path, with a reason and a cure."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from pydantic import ValidationError

from clup.settings import problems_of
from roles import ROLES

CASES = [
    pytest.param(role.name, *case, id=f"{role.name}-{number}")
    for role in ROLES
    for number, case in enumerate(
        import_module(f"tests.unit.roles.{role.name}.invalid_settings").INVALID
    )
]


@pytest.mark.parametrize(("role", "given", "path", "reason"), CASES)
def test_refused(role: str, given: dict[str, Any], path: str, reason: str) -> None:
    model = import_module(f"roles.{role}.settings").Settings
    with pytest.raises(ValidationError) as error:
        model.model_validate(given)
    problems = {problem.path: problem for problem in problems_of(error.value, model)}
    assert reason in problems[path or "settings"].reason
    assert problems[path or "settings"].cure
