"""The page of the attacks, and the model that it compares with."""

from __future__ import annotations

import pytest

from tests.attacks import tecnativa
from tests.attacks.page import PAGE, page


def test_the_page_is_made_from_the_cases() -> None:
    cure = "run .venv/bin/python -m tests.attacks.page"
    assert PAGE.read_text(encoding="utf-8") == page(), cure


@pytest.mark.parametrize(
    ("line", "seed", "jobs"),
    [
        ("GET /containers/x/archive?path=/run/key", True, True),
        ("GET /v1.41/images/json", True, True),
        ("GET /%63ontainers/x/json", True, True),
        ("GET /_ping", True, True),
        ("POST /containers/create", False, True),
        ("DELETE /containers/x", False, True),
        ("GET /info", False, False),
        ("POST /build", False, False),
        ("GET //containers/json", False, False),
    ],
)
def test_the_model_hands_on_what_the_rules_say(line: str, seed: bool, jobs: bool) -> None:
    method, target = line.split()
    assert tecnativa.hands_on(method, target, switches=tecnativa.SEED) is seed
    assert tecnativa.hands_on(method, target, switches=tecnativa.JOBS) is jobs
