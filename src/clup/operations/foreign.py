"""Folders whose files are trusted for who wrote them: what others could write is set aside."""

from __future__ import annotations

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.command import script
from clup.facts.foreign import FIND, Foreign
from clup.operations.steps import Steps, ensure

# $1 the folder. Only names in it change, and no link is followed: its owner could do the same.
_ASIDE = f"""{FIND}
foreign "$@" -exec sh -euc '
  for path; do
    kept=$path.bak.$(date -u +%Y%m%d-%H%M%S)
    while [ -e "$kept" ] || [ -L "$kept" ]; do kept=$kept-2; done
    mv -nT -- "$path" "$kept"
  done' sh {{}} +
"""


@operation()
def set_aside(folder: str, owner: int = 0, names: str = "*") -> Steps:
    """Rename what is in a folder and no file of one account's alone to NAME.bak.<UTC timestamp>.

    `owner` is the account's id, root's by default; `names` a pattern of those that matter.
    """
    found = host.get_fact(Foreign, folder=folder, owner=owner, names=names)
    if not found:
        return
    for name in found:
        report.evidence(f"{folder}/{name}: others could write it; it is kept as {name}.bak.<time>")
    yield script(_ASIDE, folder, str(owner), names)
    yield ensure(folder, lambda: _left(folder, owner, names))


def _left(folder: str, owner: int, names: str) -> str | None:
    left = host.get_fact(Foreign, folder=folder, owner=owner, names=names)
    return f"still holds {', '.join(left)}" if left else None
