"""The steps of an operation that refuse, or prove its result.

An operation decides everything before its first `yield`: pyinfra stops there when it plans.
Raising while operations are executed would end the run of every host with a traceback, so what
can fail is a function command that returns False (as of pyinfra 3.10).
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from pyinfra import logger
from pyinfra.api.command import FunctionCommand, PyinfraCommand
from pyinfra.api.host import Host
from pyinfra.api.state import State

from clup import report
from clup.transport import cache
from clup.transport.cache import UnreadError

Steps = Generator[PyinfraCommand, None, None]
"""What an operation yields; none at all when there is nothing to change."""


def refuse(what: str, found: str, cure: str) -> FunctionCommand:
    """Return the step that fails the host with one line, and show it in the plan as a refusal."""
    line = f"{what}: {found}; {cure}"
    report.refusal(line)

    def refused(state: State, host: Host) -> bool:
        return fail(host, line)

    return FunctionCommand(refused, (), {})


def ensure(what: str, check: Callable[[], str | None]) -> FunctionCommand:
    """Return the postcondition of a change.

    `check` reads the machine again (the fact cache is empty after a command) and returns None
    when all is as expected, else what is wrong. What it has read then, the next operation knows.
    """

    @cache.only_reads
    def ensured(state: State, host: Host) -> bool:
        try:
            wrong = check()
        except UnreadError as error:
            wrong = str(error)
        if wrong is None:
            return True
        cache.forget(host)  # a check that failed may have taken the change back
        return fail(host, f"{what}: {wrong}")

    return FunctionCommand(ensured, (), {})


def fail(host: Host, line: str) -> bool:
    """Say why a function command failed on a host, and return what pyinfra takes for that."""
    report.refusal(line)
    host.log_styled(line, fg="red", log_func=logger.error)
    return False
