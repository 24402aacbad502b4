"""What /openapi.json says is what the runner does, whatever is sent to it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.unit.services.runner.fake_guard import Script
from tests.unit.services.runner.runners import Running, token
from tests.unit.services.runner.stories import told

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "negative_data_rejection",
    "ignored_auth",
)
QUICK = Script(output=[(0, 1, b"x\n")])


def test_no_request_finds_a_fault(tmp_path: Path) -> None:
    async def story(it: Running) -> None:
        await it.ran("quick")
        words = [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{it.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {token('gateway')}"),
            *("--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing,stateful"),
            *("--max-examples", "10", "--seed", "1", "--no-color", "--warnings", "off"),
            *("--generation-database", "none", "--max-failures", "1", "--no-shrink"),
        ]
        process = await asyncio.create_subprocess_exec(
            *words, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()[-5000:]

    told(tmp_path, story, scripts={"quick": QUICK}, seconds_allowed=300)
