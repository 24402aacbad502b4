"""What a job prints, for a terminal: no control sequence of its reaches it but colours.

A job is not trusted. Sequences of a terminal set the clipboard and the window's title, move what
was said before, hide what follows, and answer as if somebody typed.
"""

from __future__ import annotations

import re

_COLOUR = r"\x1b\[[0-9;]{0,32}m"
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]"
_EITHER = re.compile(f"({_COLOUR})|({_CONTROL})")
_HIDDEN = 8
_NUMBERS_OF_A_COLOUR = {5: 2, 2: 4}
"""How many follow 38 or 48, by the first of them."""

RESET = "\x1b[0m"
"""What ends all colours."""


def harmless(text: str) -> str:
    """Given text of a job's, return it with every control character but tab, line ends and those
    of colours written out."""
    return _EITHER.sub(_shown, text)


def _shown(found: re.Match[str]) -> str:
    if found[1] and not _hides(found[1]):
        return found[0]
    return ascii(found[0])[1:-1]


def _hides(colour: str) -> bool:
    """Whether a sequence of colours may have a terminal hide the text after it."""
    numbers = [int(number or 0) for number in colour[2:-1].split(";")]
    while numbers:
        number = numbers.pop(0)
        if number == _HIDDEN:
            return True
        if number in (38, 48):
            # What follows one that is not whole, each terminal reads in its own way.
            following = _NUMBERS_OF_A_COLOUR.get(numbers[0] if numbers else 0)
            if following is None or following > len(numbers):
                return True
            del numbers[:following]
    return False


def plain(text: str) -> str:
    """Given a word of a job's that stands in a line of ours, return it without any control."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
