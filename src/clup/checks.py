"""What `verify` says about one thing on a machine, and how a role's `checks.py` says it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from pyinfra.api.facts import FactBase
    from testinfra.host import Host

T = TypeVar("T")

Status = Literal["passed", "failed", "untestable"]

APPLY = "see who changed it, then `clup apply`"
"""The cure of what `apply` mends by itself."""


@dataclass(frozen=True)
class Result:
    """One check. `what` says what should hold; `found` what the machine has instead."""

    what: str
    status: Status
    found: str = ""
    cure: str = ""

    def __str__(self) -> str:
        if self.status == "passed":
            return self.what
        cure = f"; {self.cure}" if self.cure else ""
        return f"{self.what}: {self.found}{cure}"


def expect(what: str, wanted: object, found: object, cure: str) -> Result:
    """Given what should hold, what the machine has and what to do when they differ, compare."""
    if found == wanted:
        return Result(what, "passed")
    return Result(what, "failed", difference(wanted, found), cure)


def without_list(role: str, path: str, has_list: bool) -> Result:
    """Given a path and whether an access control list is on it (acl(5)), look for none: owner and
    mode do not tell whom it lets in."""
    what = f"{role}: {path} has no access control list, which would let others in"
    return expect(what, True, not has_list, f"`setfacl -b {path}` on the machine")


def difference(wanted: object, found: object) -> str:
    """Given what should be and what is, say it as one would to somebody who knows no Python."""
    if isinstance(wanted, bool):
        return "it is not so"
    return f"found {_words(found)}, expected {_words(wanted)}"


def _words(value: object) -> str:
    if value is None or value in ("", [], (), {}):
        return "nothing"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(_words(each) for each in value)
    return repr(value) if isinstance(value, str) else str(value)


def untestable(what: str, why: str) -> Result:
    """Return the result for what cannot be seen on this kind of machine; it counts as skipped."""
    return Result(what, "untestable", f"not testable here: {why}")


def run(role: str, checks: Iterator[Result]) -> list[Result]:
    """Return a role's results. A check that raises is a failed one, never a passed one.

    Raise ConnectionError when the connection ends: then nothing is known of the machine.
    """
    results: list[Result] = []
    try:
        results.extend(checks)
    except ConnectionError:
        raise
    except Exception as error:  # noqa: BLE001  whatever a machine answers, the others go on
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        results.append(Result(f"{role}: all checks run", "failed", said))
    return results


def lines(host: Host, command: str, *arguments: str) -> list[str]:
    """Run a command that must succeed, with `%s` for each argument, and return its lines."""
    answer = host.run(command, *arguments)
    if answer.rc != 0:
        raise RuntimeError(
            f"`{command.split()[0]}` ended with {answer.rc}: {answer.stderr.strip()}"
        )
    return list(answer.stdout.splitlines())


def read(host: Host, fact: type[FactBase[T]], *arguments: object) -> T:
    """Given a fact of the toolkit and its arguments, read it over testinfra's connection."""
    asked = fact()
    command = asked.command(*arguments)
    line = command if isinstance(command, str) else command.get_raw_value()
    return asked.process(lines(host, line))
