"""How the role `runner` is broken; what is broken in one round is mended by one run."""

from __future__ import annotations

from tests.lab.breakages import Breakage

DATA = "/srv/data/openclaw/runner"
CACHE = "/srv/cache/openclaw/runner"
IMAGES = "Bring the images of the bundle"
RUN = "Run guard and runner"
JOBS = "Put the jobs in place"
KEYS = "Make the keys and tokens that are not there yet"
SOCKET = "Give the guard a socket of Docker's of its own"
PRUNE = "Let the guard prune the cache of jobs"
ASIDE = "Set aside jobs that somebody but root could write"

ROUNDS = [
    [
        Breakage(
            "a key that everybody reads",
            f"chmod 0644 {DATA}/keys/guard",
            changes=(KEYS,),
            checks=("keys/guard is 0440 claw-runner:claw-guard",),
        ),
        Breakage(
            "a job edited by hand",
            f"echo '# mine' >>{DATA}/jobs/greets.yaml",
            changes=(JOBS,),
            checks=("jobs/greets.yaml is as its settings say, and root's",),
        ),
        Breakage(
            "a job of somebody else's",
            f"cp {DATA}/jobs/greets.yaml {DATA}/jobs/mine.yaml; chown psy {DATA}/jobs/mine.yaml",
            changes=(ASIDE,),
            checks=("root alone writes what is in", "no job file and no token has a problem"),
        ),
        Breakage(
            "a cache that the guard cannot prune",
            f"cd {CACHE}; rmdir gradle; mkdir gradle; chown claw-trusted:claw-trusted gradle",
            changes=(PRUNE,),
            checks=(f"of the services the guard alone writes in {CACHE}/gradle",),
        ),
        Breakage(
            "its socket no longer there at boot",
            "systemctl -q disable clup-docker-guard.socket",
            changes=(SOCKET,),
            checks=("clup-docker-guard.socket listens, and will after a boot",),
        ),
    ],
    [
        Breakage(
            "a token removed",
            f"rm {DATA}/tokens/gw",
            changes=(KEYS,),
            checks=("tokens/gw is 0400 claw-runner:claw-runner",),
        ),
        Breakage(
            "its socket open to everybody",
            "chmod 666 /run/clup-docker/api.sock",
            changes=(SOCKET,),
            checks=("/run/clup-docker/api.sock is 0660 root:claw-guard",),
        ),
        Breakage(
            "the guard stopped",
            "docker stop -t 1 dkr-claw-socket-proxy",
            changes=(RUN,),
            checks=("it says at /healthz that it can run jobs", "the guard answers OK"),
        ),
    ],
    [
        Breakage(
            "another key",
            f"head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \\n' >{DATA}/keys/guard",
            changes=(RUN,),
            checks=("stack runner runs as its settings say",),
        ),
    ],
    [
        Breakage(
            "the guard and its image removed",
            "image=$(docker inspect -f '{{.Image}}' dkr-claw-socket-proxy);"
            " docker rm -f dkr-claw-socket-proxy; docker image rm -f $image",
            changes=(IMAGES, RUN),
            checks=("stack runner runs as its settings say",),
        ),
    ],
]
