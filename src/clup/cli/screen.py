"""What the operator sees: progress on stderr, live on a terminal; the answer on stdout."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from pyinfra.api.host import Host
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column

from clup.watch import Listener, Operation

_SIGNS = {
    "unchanged": ("=", "dim"),
    "would change": ("~", "yellow"),
    "changed": ("+", "green"),
    "refused": ("!", "red"),
    "failed": ("x", "red"),
    "not reached": (".", "dim"),
}


SILENCE = 10
"""Seconds without a line after which, without a terminal, one of a command's own is shown."""


class Screen(Listener):
    """Two consoles. With `quiet`, as for --json, nothing but the document goes to stdout."""

    def __init__(self, quiet: bool = False):
        self.out = Console(quiet=quiet, highlight=False, emoji=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
        self._progress: Progress | None = None
        self._started = self._told = time.monotonic()

    def step(self, text: str) -> None:
        """Say what happens now, with the seconds since the command began."""
        passed = time.monotonic() - self._started
        self.err.print(f"[dim]{passed:6.1f} s[/]  {escape(text)}")

    def error(self, text: str) -> None:
        """Say what went wrong, in a line."""
        self.err.print(f"[red]{escape(text)}[/]")

    @contextmanager
    def counting(self, hosts: dict[str, int]) -> Iterator[None]:
        """Show how many operations of each host are done, while the block runs, on a terminal."""
        if not self.err.is_terminal:
            yield
            return
        columns = (
            TextColumn("{task.fields[host]}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=16),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TimeElapsedColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.description}", table_column=Column(no_wrap=True, ratio=1)),
        )
        with Progress(*columns, console=self.err, transient=True, expand=True) as self._progress:
            self._tasks = {
                host: self._progress.add_task("", total=total, host=host)
                for host, total in hosts.items()
            }
            yield
        self._progress = None

    def started(self, host: Host, operation: str) -> None:
        """Show which operation begins."""
        self._describe(host.name, operation)

    def said(self, line: str) -> None:
        """Show what a command on a machine says, "[host] line", for those who wait for it.

        Without a terminal a line every 10 s is enough to see that it goes on.
        """
        host, _, text = line.removeprefix("[").partition("] ")
        if self._progress is not None:
            self._describe(host, text)
        elif time.monotonic() - self._told > SILENCE:
            self._told = time.monotonic()
            self.step(f"{host}: {text}")

    def ended(self, host: Host, operation: Operation) -> None:
        """Note that an operation ended; one that changed something gets a line."""
        self._told = time.monotonic()
        if self._progress is not None:
            self._progress.advance(self._tasks[host.name])
        if operation.status != "unchanged":
            sign, style = _SIGNS[operation.status]
            self.err.print(f"  [{style}]{sign}[/] {escape(f'{host.name}  {operation}')}")

    def _describe(self, host: str, text: str) -> None:
        if self._progress is not None and host in self._tasks:
            self._progress.update(self._tasks[host], description=escape(text))

    def plan(self, host: str, operations: list[Operation]) -> None:
        """Show what would change on a host, role by role, with what it rests on."""
        self.out.print(f"[bold]{escape(host)}[/]")
        role = ""
        for operation in operations:
            if operation.status == "unchanged" and not operation.evidence:
                continue
            if operation.role != role:
                role = operation.role
                self.out.print(f"  [bold]{escape(role)}[/]")
            sign, style = _SIGNS[operation.status]
            self.out.print(f"    [{style}]{sign} {escape(operation.name)}[/]")
            for line in self._details(operation):
                self.out.print(f"        {line}")
        counts = dict.fromkeys(_SIGNS, 0)
        for operation in operations:
            counts[operation.status] += 1
        said = [f"{count} {status}" for status, count in counts.items() if count]
        self.out.print(f"  {', '.join(said) or 'nothing to do'}")

    def lines(self, lines: list[str]) -> None:
        """Print plain lines of the answer."""
        for line in lines:
            self.out.print(escape(line))

    def _details(self, operation: Operation) -> Iterator[str]:
        for text in operation.evidence:
            yield from (f"[dim]{escape(line)}[/]" for line in text.splitlines())
        for text in operation.diffs:
            for line in text.splitlines():
                colour = {"+": "green", "-": "red"}.get(line[:1])
                yield f"[{colour}]{escape(line)}[/]" if colour else escape(line)
        for line in operation.error.splitlines():
            yield f"[red]{escape(line)}[/]"
