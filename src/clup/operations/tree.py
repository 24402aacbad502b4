"""The desired-state folder: a git repository of root's that takes no secret and no live state."""

from __future__ import annotations

from pyinfra.api.operation import operation
from pyinfra.context import host

from clup import report
from clup.command import script
from clup.facts.paths import Paths, PathState
from clup.operations.files import File, configured, owned
from clup.operations.programs import source
from clup.operations.steps import Steps, ensure, refuse
from clup.stacks.spec import MOUNT, TREE

HOOK = f"{TREE}/.git/hooks/reference-transaction"
PROGRAMS = "/var/lib/clup/tree"
"""Where the modules lie that the hook runs."""

_PATHS = (f"{TREE}/.git", f"{TREE}/.git/HEAD")

# What is imported comes first: a hook between the one and the other must not lack it.
_MODULES = ("services/jobs/secret.py", "clup/compose/secret.py", "clup/machine/history.py")

# Whatever root's own configuration says, the hooks are these.
_CONFIG = f"""[core]
	repositoryformatversion = 0
	filemode = true
	bare = false
	logallrefupdates = true
	hooksPath = {TREE}/.git/hooks
"""

# Also those that are committed with --no-verify: git runs this hook whenever a reference moves.
_HOOK = f"""#!/bin/sh
# Refuses commits with secrets or live state. Made by clup.
exec python3 -I -B -c '
import sys
sys.path.insert(0, "{PROGRAMS}")
from clup.machine.history import main
sys.exit(main(sys.argv[1:]))
' "$@"
"""

# What `git add` passes over by itself, and the hook refuses.
_EXCLUDE = """.env
*.env
.env.*
*.bak.*
gw-*/config/
*.db
*.sqlite*
*.key
*.pem
"""

# $1 the folder, $2 the mount point above it, the rest are folders.
_INIT = """set -eu
tree=$1 mount=$2
shift 2
if ! mountpoint -q -- "$mount"; then
  echo "$mount is not mounted; $tree would come to lie on another disk" >&2; exit 1
fi
if [ ! -e "$tree/.git/HEAD" ]; then
  git -C "$tree" -c init.defaultBranch=main init --quiet --template= .
fi
install -d -m 0755 -- "$@"
chown root:root -- "$tree/.git"
chmod 0700 -- "$tree/.git"
"""


def tree_files() -> list[File]:
    """Return what makes the repository clup's: its configuration, and its hook."""
    modules = [
        File(f"{PROGRAMS}/{name}", source(name).read_text(encoding="utf-8"), program=True)
        for name in _MODULES
    ]
    return [
        *modules,
        File(f"{TREE}/.git/config", _CONFIG),
        File(f"{TREE}/.git/info/exclude", _EXCLUDE),
        File(HOOK, _HOOK, mode="0755"),
    ]


@operation()
def repository() -> Steps:
    """Converge the desired-state folder, which is there: its repository, its hook."""
    files = tree_files()
    paths = (*_PATHS, *(file.path for file in files))
    states = host.get_fact(Paths, paths=paths)
    git, head = (states[path] for path in _PATHS)
    if git is not None and git.kind != "directory":
        yield refuse(f"{TREE}/.git", f"is a {git.kind}, not a folder", "move it away, apply again")
        return
    steps = configured._inner(files=files, among=paths)
    first = next(steps, None)
    if first is None and _is_root_alone(git) and head is not None:
        return
    report.evidence(f"{TREE}/.git: {git or 'not there yet'}")
    folders = dict.fromkeys(file.path.rpartition("/")[0] for file in files)
    yield script(_INIT, TREE, MOUNT, *folders)
    if first is not None:
        yield first
        yield from steps
    yield ensure(TREE, _wrong)


def _is_root_alone(state: PathState | None) -> bool:
    return state is not None and state.kind == "directory" and owned(state, "root", "root", "0700")


def _wrong() -> str | None:
    states = host.get_fact(Paths, paths=_PATHS)
    if all(states[path] is not None for path in _PATHS) and _is_root_alone(states[_PATHS[0]]):
        return None
    return f"is no repository that root alone can enter: {states}"
