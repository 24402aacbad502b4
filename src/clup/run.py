"""Which run this is, by whom and from which revision: for what it leaves on a machine."""

from __future__ import annotations

from pathlib import Path

from clup import revision
from clup.journal import account
from clup.transport.guard import this_run


def by_whom() -> dict[str, str]:
    """Return `who` runs this, from which `revision` of the checkout, and which `run` it is."""
    return {"who": account(), "revision": revision.current(Path.cwd()), "run": this_run()}
