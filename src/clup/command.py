"""Remote commands are built here, from words that are quoted and scripts that are constant."""

from __future__ import annotations

from collections.abc import Sequence

from pyinfra.api.command import QuoteString, StringCommand


def sh(*words: str, stdin: str | None = None, timeout: int | None = None) -> StringCommand:
    """Given a program and its arguments, return the command; each word is quoted."""
    return _command([QuoteString(word) for word in words], stdin, timeout)


def script(
    text: str, *arguments: str, stdin: str | None = None, timeout: int | None = None
) -> StringCommand:
    """Given a constant sh script and its arguments ($1, $2 ...), return the command.

    Values travel as arguments or on stdin, never glued into the text. A secret travels on stdin:
    arguments are visible to every account of the machine. `timeout` is in seconds.
    """
    words = [QuoteString(word) for word in (text, "sh", *arguments)]
    return _command(["sh", "-c", *words], stdin, timeout)


def _command(bits: Sequence[object], stdin: str | None, timeout: int | None) -> StringCommand:
    command = StringCommand(*bits)
    if stdin is not None:
        command.connector_arguments["_stdin"] = stdin
    if timeout is not None:
        command.connector_arguments["_timeout"] = timeout
    return command
