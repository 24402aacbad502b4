"""Output that is no UTF-8: pyinfra drops all that follows such a byte, and calls the rest whole.

Here nothing is dropped: such a byte shows as `\\xfc`. In the answer to a fact, where what was
dropped would count as absent, it is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from paramiko.channel import ChannelFile, ChannelStderrFile
from pyinfra.connectors import ssh, util
from pyinfra.connectors.util import CommandOutput, OutputLine


@dataclass
class ForeignOutput(CommandOutput):
    """A command's output of which some bytes on stdout were no UTF-8, first in this line."""

    line: str


def install() -> None:
    """Have every connector of this process read output to its end; again is harmless."""
    read = util.read_output_buffers
    if getattr(read, "is_whole", False):
        return

    def read_output_buffers(stdout: Any, stderr: Any, *words: Any, **options: Any) -> CommandOutput:
        foreign: list[str] = []
        output = read(_lines(stdout, foreign), _lines(stderr, []), *words, **options)
        return ForeignOutput(output.combined_lines, foreign[0]) if foreign else output

    read_output_buffers.is_whole = True  # type: ignore[attr-defined]
    util.read_output_buffers = read_output_buffers  # type: ignore[assignment]
    ssh.read_output_buffers = read_output_buffers  # type: ignore[attr-defined, assignment]


def judged(answer: tuple[bool, CommandOutput]) -> tuple[bool, CommandOutput]:
    """Given the answer to a fact's command, return it, or a failure if it has foreign bytes."""
    _, output = answer
    if not isinstance(output, ForeignOutput):
        return answer
    why = (
        f"the machine answers with bytes that are no UTF-8: {output.line.strip()[:200]!r}; mend it"
    )
    return False, CommandOutput([OutputLine("stderr", why)])


def _lines(buffer: Iterable[bytes], foreign: list[str]) -> Iterator[str]:
    """Given where a command's output comes from, yield its lines; note those of foreign bytes."""
    for line in _raw(buffer):
        try:
            yield line.decode()
        except UnicodeDecodeError:
            foreign.append(line.decode(errors="backslashreplace"))
            yield foreign[-1]


def _raw(buffer: Iterable[bytes]) -> Iterable[bytes]:
    # paramiko's file decodes as it reads; another one over the same channel does not.
    if isinstance(buffer, ChannelStderrFile):
        return buffer.channel.makefile_stderr("rb")
    if isinstance(buffer, ChannelFile):
        return buffer.channel.makefile("rb")
    return buffer
