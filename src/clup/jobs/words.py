"""The words of `clup job run`: NAME=VALUE is a parameter, another one the inventory."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}", re.ASCII)


class WordError(ValueError):
    """A word that is none of both. The message says which, and what to type."""


def split(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Given the words after a job's name in any order, return the inventory and the pairs."""
    pairs = [word for word in words if "=" in word]
    others = [word for word in words if "=" not in word]
    if len(others) > 1:
        raise WordError(f"{others[1]!r} is no NAME=VALUE, and the inventory is {others[0]!r}")
    return (others[0] if others else None), pairs


def parameters(pairs: Sequence[str]) -> dict[str, str]:
    """Given NAME=VALUE words, return the parameters; a value may hold `=`. Raise WordError."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not _NAME.fullmatch(name):
            raise WordError(
                f"{pair!r} is no parameter; write NAME=VALUE with a name of a-z, 0-9 and _"
            )
        if name in found:
            raise WordError(f"{name} is given twice, {found[name]!r} and {value!r}; give it once")
        found[name] = value
    return found
