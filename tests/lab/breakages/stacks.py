"""What people do to the desired-state folder by hand."""

from tests.lab.breakages import Breakage

GIT = "/srv/data/openclaw/clup/.git"
_KEEP = "Keep the desired state in a repository that takes no secret"

BREAKAGES = [
    Breakage(
        "a hook that lets everything pass",
        f"printf '#!/bin/sh\\n' >{GIT}/hooks/reference-transaction",
        changes=(_KEEP,),
        checks=("hooks/reference-transaction is as clup made it",),
    ),
    Breakage(
        "hooks looked for elsewhere",
        f"git -C {GIT}/.. config core.hooksPath /nowhere",
        changes=(_KEEP,),
        checks=(".git/config is as clup made it",),
    ),
    Breakage(
        "a history open to everybody",
        f"chmod 0755 {GIT}",
        changes=(_KEEP,),
        checks=(f"{GIT} is 0700 root:root",),
    ),
    Breakage(
        "the repository removed",
        f"rm -r {GIT}",
        changes=(_KEEP,),
        checks=(f"{GIT} is 0700 root:root", "reference-transaction is as clup made it"),
    ),
]
