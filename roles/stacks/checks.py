"""The desired-state folder: its repository, its hook, and what its history holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from clup.checks import APPLY, Result, expect, read
from clup.facts.paths import Paths
from clup.facts.stacks import History
from clup.operations.files import owned
from clup.operations.tree import tree_files
from clup.stacks.spec import LIVE, TREE
from roles.stacks.settings import Settings

if TYPE_CHECKING:
    from testinfra.host import Host

_LEAK = (
    "change that secret now, as it was readable; then see docs/troubleshooting.md how to take it"
    " out of the history"
)


def checks(host: Host, _settings: Settings) -> Iterator[Result]:
    """Compare the folder with what clup made of it, and read all of its history."""
    files = tree_files()
    git = f"{TREE}/.git"
    states = read(host, Paths, (git, *(file.path for file in files)))
    mine = owned(states[git], "root", "root", "0700")
    yield expect(f"stacks: {git} is 0700 root:root", True, mine, APPLY)
    for file in files:
        what = f"stacks: {file.path} is as clup made it"
        yield expect(what, True, file.is_converged(states[file.path]), APPLY)
    if states[git] is not None:
        leaked = read(host, History, TREE)
        yield expect("stacks: no secret and no live state was ever committed", [], leaked, _LEAK)
    # Whoever types `git clean -fdx` there must not find a repository to clean.
    above = host.run("env -C %s git rev-parse --show-toplevel", LIVE)
    found = above.stdout.strip() if above.rc == 0 else ""
    cure = "see whose repository that is, and move its .git away: it would take live data for its"
    yield expect(f"stacks: {LIVE} lies in no repository", "", found, cure)
