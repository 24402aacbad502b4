"""What goes because it is old, or because there is too much of it, and how it is found.

However much there is, little of it is remembered: all is gone through twice, and in between stands
only how many bytes there are of each age.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

MB = 2**20
DAY = 86_400
LEAP_SECONDS = 2 * DAY
"""A clock that is so far ahead of the time that passed has been set, or is wrong."""
ENOUGH = 0.95
"""The part of what there may be that is left when there was too much: the next look that finds
something is not the next look."""
DEEPEST = 100
"""Folders below one another that are looked into: each is kept open."""

_FINE = 1000


class Sieve:
    """Tells what goes: what is old, and then what is longest unused, until there is not too much.

    All is weighed first, then `settle` is called, then each is asked about. Which of two goes first
    is told as far as their ages differ by more than a thousandth. What seems to be from the future
    (a clock that jumped) is not old.
    """

    def __init__(self, now: float, days: int | None, most: int):
        """`days` is how old something may be, None for as old as it likes; `most` how many bytes
        all together may have."""
        self._now = now
        self._oldest = -math.inf if days is None else now - days * DAY
        self._most = most
        self._sizes: Counter[int] = Counter()
        self._age_of_some = math.inf
        """What is older goes, and of what is as old, `_bytes_of_some`."""
        self._bytes_of_some = 0
        self.size = 0
        """The bytes of what stays."""
        self.any_goes = False

    def weigh(self, used: float, size: int) -> None:
        """Take account of something: when it was last of use (seconds since 1970), and its
        bytes."""
        if used < self._oldest:
            self.any_goes = True
        else:
            self._sizes[self._age(used)] += size
            self.size += size

    def settle(self) -> None:
        """All is weighed."""
        if self.size <= self._most:
            return
        self.any_goes = True
        excess = self.size - int(self._most * ENOUGH)
        for age, size in sorted(self._sizes.items(), reverse=True):
            self._age_of_some, self._bytes_of_some = age, excess
            if size >= excess:
                break
            excess -= size

    def goes(self, used: float, size: int) -> bool:
        """Whether something that was weighed goes."""
        if used < self._oldest:
            return True
        age = self._age(used)
        if age < self._age_of_some:
            return False
        if age == self._age_of_some:
            if self._bytes_of_some <= 0:
                return False
            self._bytes_of_some -= size
        self.size -= size
        return True

    def _age(self, used: float) -> int:
        """Return a number that is the larger the longer ago it was, one of some 50000."""
        age = self._now - used
        return int(math.copysign(_FINE * math.log1p(abs(age)), age))


def walk(root: Path) -> Iterator[tuple[int, str, os.stat_result]]:
    """Yield all that is below a folder: the descriptor of its folder while that is open, its name,
    and how it is. Whoever writes there may exchange it meanwhile: no link is followed."""
    deepest = str(root).count("/") + DEEPEST
    for folder, folders, files, descriptor in os.fwalk(root):
        for name in (*folders, *files):
            try:
                found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            except OSError:
                continue
            yield descriptor, name, found
        if folder.count("/") >= deepest:
            folders.clear()
