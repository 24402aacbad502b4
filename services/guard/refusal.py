"""A request that goes no further, and what its sender is told."""

from __future__ import annotations

from collections.abc import Sequence


class Refusal(Exception):  # noqa: N818  it is an answer, not an error of ours
    """An answer other than success: an HTTP status, a word for programs, a sentence for people."""

    def __init__(self, status: int, code: str, message: str, problems: Sequence[str] = ()):
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.problems = tuple(problems)


def absent() -> Refusal:
    """Return the one answer for a container that is not there, is no job's, or is misnamed."""
    return Refusal(
        404, "no_container", "there is no such container; GET /containers/json lists all"
    )
