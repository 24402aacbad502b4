"""What /openapi.json says is what the runner does, whatever is sent to it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.unit.services.runner.fake_guard import Script
from tests.unit.services.runner.runners import Running, token
from tests.unit.services.runner.test_api import told

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 20


def test_no_request_finds_a_fault(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        job = await it.ran("quick")
        schema = schemathesis.openapi.from_dict(it.app.openapi())
        headers = {"Authorization": f"Bearer {token('gateway')}"}
        operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
        assert len(operations) == 11

        def attack() -> None:
            for operation in operations:

                @settings(
                    max_examples=EXAMPLES,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                @given(case=operation.as_strategy(), is_own=st.booleans())
                def send(case: schemathesis.Case[Any], is_own: bool) -> None:
                    if is_own and "job_id" in case.path_parameters:
                        case.path_parameters["job_id"] = job["id"]
                    case.call_and_validate(base_url=it.url, headers=headers, checks=CHECKS)

                send()

        await asyncio.to_thread(attack)

    told(tmp_path, story, scripts={"quick": Script(output=[(0, 1, b"x")])})
