"""What an operation tells the plan besides "would change": evidence, diffs, refusals.

Kept per host and operation while pyinfra plans and executes. Under plain pyinfra nobody reads
it, and it does no harm.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from pyinfra.api.host import Host
from pyinfra.context import host as current_host

from clup.masking import masked


@dataclass
class Notes:
    """What one operation had to say about one host, in the order in which it said it."""

    evidence: list[str] = field(default_factory=list)
    diffs: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


_notes: WeakKeyDictionary[Host, dict[str, Notes]] = WeakKeyDictionary()


def evidence(text: str) -> None:
    """Say what was found, for example the verdict on a disk and what it rests on."""
    _add(_current().evidence, text)


def diff(path: str, before: str | None, after: str, edited: bool = False) -> None:
    """Show how a file would change. Never for a secret. `before` is None for a new file.

    Of a file that is `edited`, which holds what others wrote, only the lines that change are
    shown, and no value that is named like a secret.
    """
    texts = [_printable(text) for text in (before or "", after)]
    if edited:
        texts = [masked(text) for text in texts]
    lines = difflib.unified_diff(
        texts[0].splitlines(),
        texts[1].splitlines(),
        fromfile=path if before is not None else "/dev/null",
        tofile=path,
        lineterm="",
        n=0 if edited else 2,
    )
    if texts[0] == texts[1]:
        evidence(f"{path}: only what is not shown, or how lines end, would change")
    else:
        _add(_current().diffs, "\n".join(lines))


def refusal(text: str) -> None:
    """Say that this operation will not do what the settings ask for, and why."""
    _add(_current().refusals, text)


def notes(host: Host, operation: str) -> Notes:
    """Given a host and an operation's hash, return what that operation said there."""
    return _notes.get(host, {}).get(operation, Notes())


def forget(host: Host, operation: str) -> None:
    """Drop what an operation said when it was planned: it is evaluated again to be executed."""
    _notes.get(host, {}).pop(operation, None)


def _current() -> Notes:
    # The context object is a proxy, which has no weak reference: take the host behind it.
    target = current_host.inventory.get_host(current_host.name)
    return _notes.setdefault(target, {}).setdefault(target.current_op_hash or "", Notes())


def _printable(text: str) -> str:
    """Return a text with U+FFFD for the lone surrogates of bytes that were no UTF-8."""
    return text.encode("utf-8", errors="surrogateescape").decode(errors="replace")


def _add(said: list[str], text: str) -> None:
    # An operation is evaluated when it is planned and again when it is executed.
    if text not in said:
        said.append(text)
