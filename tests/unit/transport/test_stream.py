"""A command that is sent bytes while it runs, on the machine itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clup.transport.stream import _here

MB = 1 << 20


def chunks(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield b"x" * MB


@pytest.mark.parametrize(
    ("line", "status", "stdout", "stderr"),
    [
        ("echo begun; wc -c", 0, f"begun\n{8 * MB}\n", ""),
        ("head -c 10 >/dev/null; echo too much >&2; exit 3", 3, "", "too much\n"),
        # Its output would fill the pipe if nobody read while it is sent its input.
        ("head -c 1000000 /dev/zero | tr '\\0' '\\n'; wc -c", 0, None, ""),
    ],
)
def test_it_takes_all_or_says_why_not(
    line: str, status: int, stdout: str | None, stderr: str
) -> None:
    said: list[str] = []
    answer = _here(line, chunks(8), said.append)
    assert (answer.status, answer.stderr.decode()) == (status, stderr)
    if stdout is not None:
        assert answer.stdout.decode() == stdout
        assert said == stdout.split()
