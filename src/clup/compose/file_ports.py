"""The published ports of a service of a compose file, in both of their forms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from clup.compose.problem import Path
from clup.compose.service import At, Port
from clup.compose.value import items, text

# [ADDRESS:][PUBLISHED:]TARGET[/PROTOCOL], an IPv6 address in brackets.
_SHORT = re.compile(
    r"(?:(?:\[(?P<six>[^\]]*)\]|(?P<four>[^:\[\]]*)):(?=[^:]*:))?"
    r"(?:(?P<published>[^:]*):)?(?P<target>[^:]*)"
)


def ports(said: object, at: Path) -> Iterator[At[Port]]:
    """Given the ports of a service at a path, yield each."""
    for path, item in items(said, at):
        if isinstance(item, Mapping):
            words = (text(item.get(key)) for key in ("host_ip", "published", "target"))
            yield At(path, Port(*words))
        else:
            yield At(path, _short(text(item)))


def _short(said: str) -> Port:
    found = _SHORT.fullmatch(said)
    if not found:
        return Port("", "", said)
    address = found["six"] if found["six"] is not None else found["four"]
    return Port(address or "", found["published"] or "", found["target"])
