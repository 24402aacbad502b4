"""What a job prints, for a terminal: no control sequence of its reaches it but colours.

A job is not trusted. Sequences of a terminal set the clipboard and the window's title, move what
was said before, and answer as if somebody typed.
"""

from __future__ import annotations

import re

_COLOUR = r"\x1b\[[0-9;]{0,32}m"
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
_EITHER = re.compile(f"({_COLOUR})|({_CONTROL})")


def harmless(text: str) -> str:
    """Given text of a job's, return it with every control character but tab, line ends and those
    of colours written out."""
    return _EITHER.sub(lambda found: found[1] or ascii(found[2])[1:-1], text)


def plain(text: str) -> str:
    """Given a word of a job's that stands in a line of ours, return it without any control."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
