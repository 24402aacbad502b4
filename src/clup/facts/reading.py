"""Readings of a machine that may be cut: they are whole only if their last line says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyinfra.api.exceptions import FactProcessError


def whole(output: Iterable[str], what: str) -> Iterator[str]:
    """Given a reading's lines, return all but the last one, which is "end".

    Raise FactProcessError when that is missing: what was not read would count as absent.
    """
    lines = list(output)
    if lines[-1:] != ["end"]:
        last = lines[-1] if lines else "nothing"
        raise FactProcessError(f"{what} were not read to the end, but to {last!r}; run it again")
    return iter(lines[:-1])
