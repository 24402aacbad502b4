"""A fact cache for pyinfra, which has none since 3.0.

The rule that keeps it correct: what is remembered is the output of a fact's exact command with
its authentication arguments, on one host, for a few seconds; anything else that runs on that
host or may change it (a command of an operation, an upload, a Python callback) empties it, but for
a callback that `only_reads`. An operation therefore sees the machine as it was after the last
change, or it asks again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import pyinfra.api.facts
from pyinfra.api.command import FunctionCommand, StringCommand
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.connectors.util import CommandOutput, OutputLine

from clup.transport import whole

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_AGE = 10.0
"""Seconds after which an output is read again: someone may have waited at pyinfra's prompt."""

Answer = tuple[bool, CommandOutput]


@dataclass
class Memory:
    """What is known about one host, and how many commands it was sent.

    `unread` is why the last fact that could not be read could not.
    """

    answers: dict[str, tuple[float, Answer]] = field(default_factory=dict)
    reading: int = 0
    commands: int = 0
    unread: str = "no answer"


class UnreadError(PyinfraError):
    """A fact of a machine could not be read, so nothing can be decided about it."""


_memories: WeakKeyDictionary[Host, Memory] = WeakKeyDictionary()

before_change: list[Callable[[Host], str | None]] = []
"""Called before each command that may change something, and before each that is read while
operations are executed. A returned line fails that command."""

Command = str | StringCommand

Callback = TypeVar("Callback", bound=Callable[..., bool])

Options = dict[str, Any]
"""The connector's options of a command, such as `_sudo` and `_stdin`."""

around_change: list[Callable[[Host, Command, Options], tuple[Command, Options]]] = []
"""Called with each command that may change something and its options; return what is sent."""


def memory(host: Host) -> Memory:
    """Given a host, return its memory, made on first use."""
    return _memories.setdefault(host, Memory())


def forget(host: Host) -> None:
    """Empty the cache of a host. Loops that wait for the machine do so before each look."""
    memory(host).answers.clear()


@contextmanager
def reading(host: Host) -> Iterator[None]:
    """Within this block the commands sent to a host only read."""
    known = memory(host)
    known.reading += 1
    try:
        yield
    finally:
        known.reading -= 1


def only_reads(callback: Callback) -> Callback:
    """Mark the function of a FunctionCommand that changes nothing: what it has read stays known."""
    callback.only_reads = True  # type: ignore[attr-defined]
    return callback


def install() -> None:
    """Put the cache between pyinfra's facts and its connectors; again is harmless."""
    if getattr(Host.run_shell_command, "is_cached", False):
        return
    _remember_facts()
    for name in ("put_file", "get_file", "rsync"):
        _forget_after(Host, name, lambda host, *_: host)
    _forget_after(FunctionCommand, "execute", _changed_by)


def _remember_facts() -> None:
    read_fact = pyinfra.api.facts._get_fact
    run = Host.run_shell_command

    def get_fact(state: Any, host: Host, *arguments: Any, **options: Any) -> Any:
        asked = _behind(host)
        try:
            with reading(asked):
                answer = read_fact(state, host, *arguments, **options)
        except PyinfraError:  # also raised when this was the last host that had not failed
            if asked not in state.failed_hosts:
                raise
        # pyinfra would go on with the fact's default, which is no ground to act on.
        if asked in state.failed_hosts:
            raise UnreadError(f"{host.name} could not be read: {memory(asked).unread}")
        return answer

    def run_shell_command(host: Host, command: Command, *rest: Any, **options: Any) -> Answer:
        known = memory(host)
        # What an operation decides is decided under the lock, so that its facts count too.
        if host.state.is_executing or not known.reading:
            for allow in before_change:
                if reason := allow(host):
                    return False, CommandOutput([OutputLine("stderr", reason)])
        if not known.reading:
            if _behind(host) in host.state.failed_hosts:
                why = f"{host.name} could not be read or has failed: nothing is changed there"
                return False, CommandOutput([OutputLine("stderr", why)])
            known.commands += 1
            for guarded in around_change:
                command, options = guarded(_behind(host), command, options)
            try:
                return run(host, command, *rest, **options)
            finally:
                known.answers.clear()
        text = command if isinstance(command, str) else command.get_raw_value()
        key = repr((text, rest, sorted(options.items())))
        age, answer = known.answers.get(key, (0.0, None))
        if answer is None or time.monotonic() - age > MAX_AGE:
            known.commands += 1
            answer = whole.judged(run(host, command, *rest, **options))
            known.answers[key] = (time.monotonic(), answer)
        if not answer[0]:
            known.unread = (answer[1].stderr_lines or ["no answer"])[-1].strip()
        return answer

    run_shell_command.is_cached = True  # type: ignore[attr-defined]
    pyinfra.api.facts._get_fact = get_fact
    Host.run_shell_command = run_shell_command  # type: ignore[method-assign, assignment]


def _changed_by(command: FunctionCommand, _state: Any, host: Host, *_: Any) -> Host | None:
    return None if getattr(command.function, "only_reads", False) else host


def _forget_after(owner: type, name: str, changed: Callable[..., Host | None]) -> None:
    original = getattr(owner, name)

    def call(*arguments: Any, **options: Any) -> Any:
        host = changed(*arguments)
        if host is None:
            return original(*arguments, **options)
        host = _behind(host)
        forget(host)
        try:
            return original(*arguments, **options)
        finally:
            forget(host)

    setattr(owner, name, call)


def _behind(host: Host) -> Host:
    """Return the host itself where pyinfra hands out its context proxy."""
    return host.inventory.get_host(host.name)
