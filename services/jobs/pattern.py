"""Patterns of parameters: a part of Python's regular expressions that is matched in bounded time.

The author of a job file is trusted, the sender of a value is not. Python's own matcher goes back
and tries again, for hours where a pattern invites it. This one knows only what is bounded, and
walks through a value with the set of all places that it may have come to: each piece of the pattern
looks at each place once.

    a  \\.  [a-z0-9_-]  (one|two)  x?  x{3}  x{1,40}
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

LONGEST = 256
"""Characters of a value that a pattern matches."""
_LARGEST = 1024
"""Steps of a pattern: its characters and classes, each as often as it may be repeated."""
_TEXT = 400
"""Characters of a pattern."""

_PRINTABLE = {chr(code) for code in range(0x20, 0x7F)}
_QUANTITY = re.compile(r"\{([0-9]{1,4})(?:,([0-9]{1,4}))?\}", re.ASCII)


class PatternError(ValueError):
    """A text that is no pattern, or one that is not bounded; says why."""


@dataclass(frozen=True)
class _Chars:
    allowed: frozenset[str]
    steps: int = 1
    longest: int = 1

    def after(self, text: str, places: set[int]) -> set[int]:
        length = len(text)
        return {at + 1 for at in places if at < length and text[at] in self.allowed}


@dataclass(frozen=True)
class _Sequence:
    parts: tuple[_Node, ...]

    @property
    def steps(self) -> int:
        return sum(part.steps for part in self.parts)

    @property
    def longest(self) -> int:
        return sum(part.longest for part in self.parts)

    def after(self, text: str, places: set[int]) -> set[int]:
        for part in self.parts:
            places = part.after(text, places)
        return places


@dataclass(frozen=True)
class _Choice:
    parts: tuple[_Node, ...]

    @property
    def steps(self) -> int:
        return sum(part.steps for part in self.parts)

    @property
    def longest(self) -> int:
        return max(part.longest for part in self.parts)

    def after(self, text: str, places: set[int]) -> set[int]:
        return set().union(*(part.after(text, places) for part in self.parts))


@dataclass(frozen=True)
class _Repeat:
    part: _Node
    least: int
    most: int

    @property
    def steps(self) -> int:
        return self.part.steps * self.most

    @property
    def longest(self) -> int:
        return self.part.longest * self.most

    def after(self, text: str, places: set[int]) -> set[int]:
        found = places if self.least == 0 else set[int]()
        for time in range(1, self.most + 1):
            places = self.part.after(text, places)
            if time >= self.least:
                found = found | places
        return found


_Node = _Chars | _Sequence | _Choice | _Repeat


@dataclass(frozen=True)
class Pattern:
    """A pattern as it was written, and what it means."""

    text: str
    node: _Node

    def matches(self, value: str) -> bool:
        """Whether the whole value is what the pattern describes."""
        if len(value) > self.node.longest:
            return False
        return len(value) in self.node.after(value, {0})


def pattern(text: str) -> Pattern:
    """Given the text of a pattern, return it. Raise PatternError."""
    if not 0 < len(text) <= _TEXT:
        raise PatternError(f"has {len(text)} characters; a pattern has 1 to {_TEXT}")
    if not _PRINTABLE.issuperset(text):
        raise PatternError("has a character that is not printable ASCII")
    parser = _Parser(text)
    node = parser.choice()
    if parser.at < len(text):
        parser.fail("closes a group that is not open")
    if node.longest > LONGEST:
        raise PatternError(f"matches up to {node.longest} characters; at most {LONGEST}")
    if node.steps > _LARGEST:
        raise PatternError(f"needs {node.steps} steps; at most {_LARGEST}")
    return Pattern(text, node)


class _Parser:
    def __init__(self, text: str):
        self.text = text
        self.at = 0
        self.depth = 0

    def fail(self, reason: str) -> NoReturn:
        raise PatternError(f"{reason} (character {self.at + 1})")

    def next(self) -> str:
        return self.text[self.at : self.at + 1]

    def choice(self) -> _Node:
        parts = [self.sequence()]
        while self.next() == "|":
            self.at += 1
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else _Choice(tuple(parts))

    def sequence(self) -> _Node:
        parts: list[_Node] = []
        while self.next() not in ("", "|", ")"):
            parts.append(self.repeated(self.atom()))
        if not parts:
            self.fail("has nothing where something must stand")
        return parts[0] if len(parts) == 1 else _Sequence(tuple(parts))

    def atom(self) -> _Node:
        char = self.next()
        if char == "(":
            return self.group()
        if char == "[":
            return self.charset()
        if char == "\\":
            return _Chars(frozenset(self.escaped()))
        if char in ".^$":
            self.fail(f"has {char!r}: it matches as a whole anyway; name characters as [...], or "
                      f"write \\{char}")  # fmt: skip
        if char in "*+?{}]":
            self.fail(f"has {char!r} where it has no meaning; for itself it is written \\{char}")
        self.at += 1
        return _Chars(frozenset(char))

    def group(self) -> _Node:
        self.at += 3 if self.text.startswith("(?:", self.at) else 1
        self.depth += 1
        if self.depth > 8:
            self.fail("nests groups too deep")
        node = self.choice()
        if self.next() != ")":
            self.fail("has a group that is not closed")
        self.at += 1
        self.depth -= 1
        return node

    def escaped(self) -> str:
        char = self.text[self.at + 1 : self.at + 2]
        if char == "" or char.isalnum():
            self.fail(f"has \\{char}: name characters as [...]")
        self.at += 2
        return char

    def charset(self) -> _Node:
        self.at += 1
        if self.next() == "^":
            self.fail("has a class of what is not allowed; name what is")
        allowed: set[str] = set()
        while self.next() != "]":
            first = self.member()
            last = first
            is_range = self.next() == "-" and self.text[self.at + 1 : self.at + 2] not in ("", "]")
            if is_range:
                self.at += 1
                last = self.member()
            if first > last:
                self.fail(f"has the range {first}-{last}, which is empty")
            allowed.update(map(chr, range(ord(first), ord(last) + 1)))
        if not allowed:
            self.fail("has an empty class")
        self.at += 1
        return _Chars(frozenset(allowed))

    def member(self) -> str:
        char = self.next()
        if char == "\\":
            return self.escaped()
        if char in ("", "["):
            self.fail("has a class that is not closed, or one in a class")
        self.at += 1
        return char

    def repeated(self, node: _Node) -> _Node:
        char = self.next()
        if char in ("*", "+") and char:
            self.fail(f"repeats without a bound; instead of {char} write {{0,40}} or {{1,40}}")
        if char == "?":
            self.at += 1
            return self.once(_Repeat(node, 0, 1))
        if char != "{":
            return node
        found = _QUANTITY.match(self.text, self.at)
        if not found:
            self.fail("has a { that is no {3} and no {1,40}")
        least = int(found[1])
        most = int(found[2] or found[1])
        if not least <= most or not 1 <= most <= LONGEST:
            self.fail(f"repeats {found[0]} times; that is empty, or more than {LONGEST}")
        self.at = found.end()
        return self.once(_Repeat(node, least, most))

    def once(self, node: _Node) -> _Node:
        if self.next() in tuple("*+?{"):
            self.fail("repeats what is repeated already; put that in a group")
        return node
