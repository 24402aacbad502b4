"""Folders whose files are trusted because root wrote them: what others could write is set aside."""

from __future__ import annotations

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.command import script
from clup.facts.foreign import FIND, Foreign
from clup.operations.steps import Steps, ensure

# $1 the folder, which is root's by now: nobody else exchanges what is in it meanwhile.
_ASIDE = f"""{FIND}
foreign "$1" -exec sh -euc '
  for path; do
    kept=$path.bak.$(date -u +%Y%m%d-%H%M%S)
    while [ -e "$kept" ] || [ -L "$kept" ]; do kept=$kept-2; done
    mv -nT -- "$path" "$kept"
  done' sh {{}} +
"""


@operation()
def set_aside(folder: str) -> Steps:
    """Rename what is in a folder and is no file of root's alone to NAME.bak.<UTC timestamp>."""
    found = host.get_fact(Foreign, folder=folder)
    if not found:
        return
    for name in found:
        report.evidence(f"{folder}/{name}: others could write it; it is kept as {name}.bak.<time>")
    yield script(_ASIDE, folder)
    yield ensure(folder, lambda: _left(folder))


def _left(folder: str) -> str | None:
    left = host.get_fact(Foreign, folder=folder)
    return f"still holds {', '.join(left)}" if left else None
