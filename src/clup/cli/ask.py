"""Whom to ask before something is installed on the operator's machine."""

from __future__ import annotations

import sys

import click

from clup.lab.say import Confirm


def asker(assume_yes: bool) -> Confirm:
    """Given --yes or not, return what answers a question: the user, if one is at the terminal.

    Without both nobody answers; what may be done then is decided by who asks.
    """
    if assume_yes:
        return lambda question: True
    return _confirmed if is_terminal() else lambda question: None


def _confirmed(question: str) -> bool:
    try:
        return click.confirm(question, default=True, err=True)
    except click.Abort:
        # It would pass for an error of clup's own; the commands know what an interrupt leaves.
        raise KeyboardInterrupt from None


def is_terminal() -> bool:
    """Whether a person is there to be asked."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
