"""What people do to the tree of folders by hand."""

from tests.lab.breakages import Breakage

DATA = "/srv/data/openclaw"
CACHE = "/srv/cache/openclaw"

BREAKAGES = [
    Breakage(
        "a secret folder open to everybody",
        f"chmod 0755 {DATA}/gw-admin/config",
        changes=(f"Make {DATA}/gw-admin/config",),
        checks=(f"{DATA}/gw-admin/config is 0700 gw-admin:gw-admin",),
    ),
    Breakage(
        "a folder of root given to the human",
        f"chown psy:psy {DATA}/runner/jobs",
        changes=(f"Make {DATA}/runner/jobs",),
        checks=(f"{DATA}/runner/jobs is 0755 root:root",),
    ),
    Breakage(
        "chown -R over the whole tree of the runner",
        f"chown -R psy:psy {DATA}/runner",
        changes=(
            f"Make {DATA}/runner",
            f"Make {DATA}/runner/audit",
            f"Make {DATA}/runner/compose",
            f"Make {DATA}/runner/jobs",
            f"Make {DATA}/runner/keys",
            f"Make {DATA}/runner/ledger",
            f"Make {DATA}/runner/reports",
            f"Make {DATA}/runner/state",
            f"Make {DATA}/runner/tokens",
        ),
        checks=(
            f"{DATA}/runner is 0755 root:root",
            f"{DATA}/runner/reports is 2750 claw-runner:psy",
        ),
    ),
    Breakage(
        "another group",
        f"chgrp root {DATA}/infra",
        changes=(f"Make {DATA}/infra",),
        checks=(f"{DATA}/infra is 0750 root:psy",),
    ),
    Breakage(
        "a setgid bit",
        f"chmod g+s {DATA}/repo",
        changes=(f"Make {DATA}/repo",),
        checks=(f"{DATA}/repo is 0755 psy:psy",),
    ),
    Breakage(
        "a setgid bit lost",
        f"chmod 0750 {CACHE}/runner/work && chmod g-s {CACHE}/runner/work",
        changes=(f"Make {CACHE}/runner/work",),
        checks=(f"{CACHE}/runner/work is 2750 claw-runner:psy",),
    ),
    Breakage(
        "an empty folder removed",
        f"rmdir {DATA}/upstream-openclaw",
        changes=(f"Make {DATA}/upstream-openclaw",),
        checks=(f"{DATA}/upstream-openclaw is 0755 psy:psy",),
    ),
    Breakage(
        "a cache moved away",
        f"mv {CACHE}/runner/gradle {CACHE}/runner/gradle.old",
        changes=(f"Make {CACHE}/runner/gradle",),
        checks=(f"{CACHE}/runner/gradle is 0755 claw-trusted:claw-trusted",),
    ),
    Breakage(
        "the way down closed",
        f"chmod 0700 {CACHE}",
        changes=(f"Make {CACHE}",),
        checks=(f"{CACHE} is 0755 root:root",),
    ),
]
