"""One thing at a time that people break by hand, role by role, and who must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Breakage:
    """`shell` breaks one thing as root on the machine.

    `changes` are the names of the operations that plan must then show, and apply must change,
    no more and no fewer; `checks` are texts of which each must be in a failed check.
    """

    name: str
    shell: str
    changes: tuple[str, ...]
    checks: tuple[str, ...]
