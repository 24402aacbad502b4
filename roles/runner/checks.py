"""Ask the runner, and the guard from inside the runner's container; look at who owns what."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from clup.checks import APPLY, Result, expect, read, without_list
from clup.facts.accounts import Accounts
from clup.facts.acl import DefaultWriters
from clup.facts.foreign import Foreign
from clup.facts.images import Images
from clup.facts.made_files import MadeFiles
from clup.facts.paths import Paths, PathState
from clup.facts.units import Units
from clup.operations.systemd import is_up
from roles.runner.files import (
    JOBS,
    JOBS_CACHE,
    SOCKET,
    SOCKET_OWNER,
    SOCKET_UNIT,
    cache_file,
    made,
    rights,
    socket_file,
    wrong_writers,
)
from roles.runner.jobs import read as read_jobs
from roles.runner.settings import GUARD, Settings
from roles.runner.stacks import CONTAINER

if TYPE_CHECKING:
    from testinfra.host import Host

HEALTH = "http://127.0.0.1:18888/healthz"
KEYS = {"ok", "service", "time_utc", "docker_host", "data_dir", "cache_dir"}
"""What its health has to say at least."""

# Of an answer that is no success too, the body counts.
_GET = """import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=10)
except urllib.error.HTTPError as error:
    answer = error
sys.stdout.write(answer.read(100000).decode())
"""
# $1 a socket of Docker's: its rights, with a + after ten letters for a list (ls), and an answer.
_ASK = """ls -ld -- "$1"; exec timeout 10 docker -H "unix://$1" version -f '{{.Server.Version}}'"""
_PING = "http://claw-socket-proxy:2375/_ping"
_LOGS = (
    f"`sudo docker logs {CONTAINER}` and `sudo docker logs dkr-claw-socket-proxy` on the machine"
)


def checks(host: Host, settings: Settings) -> Iterator[Result]:
    """Compare the machine with what a job needs, and with what must hold whatever a job does."""
    if not settings.enabled:
        return
    yield from _files(host, settings)
    yield from _socket(host)
    yield from images(host, settings)
    said = host.run("python3 -I -c %s %s", _GET, HEALTH)
    yield from health(said.stdout if said.rc == 0 else said.stderr, settings)
    inside = host.run("docker exec %s python3 -I -c %s %s", CONTAINER, _GET, _PING)
    what = f"runner: the guard answers OK inside {CONTAINER}"
    yield expect(what, "OK", (inside.stdout or inside.stderr).strip()[-200:], f"see {_LOGS}")


def _files(host: Host, settings: Settings) -> Iterator[Result]:
    wanted = tuple(made(settings))
    states = read(host, MadeFiles, tuple(each.path for each in wanted))
    for each in wanted:
        what = f"runner: {each.path} is {each.mode} {each.user}:{each.group}"
        yield expect(what, "", each.wrong(states.get(each.path)), APPLY)
    allowed = [rights(name, caller) for name, caller in settings.callers.items()]
    texts = [socket_file(), cache_file(), *allowed, *read_jobs(settings)[1]]
    there = read(host, Paths, (SOCKET, *(each.path for each in texts)))
    yield socket_of_guard(there[SOCKET])
    for text in texts:
        what = f"runner: {text.path} is as its settings say, and root's"
        yield expect(what, True, text.is_converged(there[text.path]), APPLY)
    wrong = wrong_writers(read(host, DefaultWriters, JOBS_CACHE), settings.ids)
    what = f"runner: of the services the guard alone writes in {JOBS_CACHE}"
    yield expect(what, "", wrong, APPLY)
    strange = read(host, Foreign, JOBS)
    yield expect(f"runner: root alone writes what is in {JOBS}", [], strange, APPLY)


def _socket(host: Host) -> Iterator[Result]:
    members = sorted(read(host, Accounts, ()).members(GUARD) - {GUARD})
    cure = f"`gpasswd -d NAME {GUARD}` (or another primary group): its members are root by Docker"
    yield expect(f"runner: nobody but the guard is in the group {GUARD}", [], members, cure)
    up = is_up(read(host, Units, (SOCKET_UNIT,)).get(SOCKET_UNIT), enabled=True)
    yield expect(f"runner: {SOCKET_UNIT} listens, and will after a boot", True, up, APPLY)
    asked = host.run("sh -c %s sh %s", _ASK, SOCKET)
    yield without_list("runner", SOCKET, asked.stdout[10:11] == "+")
    cure = f"`systemctl restart docker`; if that does not help, see `journalctl -u {SOCKET_UNIT}`"
    yield expect(f"runner: Docker answers at {SOCKET}", True, asked.rc == 0, cure)


def socket_of_guard(found: PathState | None) -> Result:
    """Given what there is at the guard's socket, compare who may reach Docker by it."""
    user, group, mode = SOCKET_OWNER
    has = f"{found.mode} {found.user}:{found.group}" if found else "nothing"
    wanted = f"{mode} {user}:{group}"
    cure = "see who changed it, then `clup apply`, which restarts Docker"
    return expect(f"runner: {SOCKET} is {wanted}", wanted, has, cure)


def images(host: Host, settings: Settings) -> Iterator[Result]:
    """Look for the images of jobs. Whether those of guard and runner are there, the stack tells."""
    wanted: dict[str, list[str]] = {}
    for name, job in read_jobs(settings)[0].items():
        wanted.setdefault(job.image, []).append(name)
    there = read(host, Images, sorted(wanted)).there
    cure = APPLY if settings.bundle else "bring it: `clup bundle push`, or `docker load` there"
    for image, names in wanted.items():
        what = f"runner: the image of {', '.join(names)} is there"
        yield expect(what, True, image in there, cure)


def health(text: str, settings: Settings) -> Iterator[Result]:
    """Given what /healthz answers, or why it does not, look for what has to be in it."""
    runs = settings.proxy == "guard"
    what = f"runner: it says at /healthz that it can run {'jobs' if runs else 'no job'}"
    try:
        said: dict[str, Any] = json.loads(text)
        missing = sorted(KEYS - said.keys())
    except (ValueError, AttributeError):
        last = (text.strip().splitlines() or ["nothing"])[-1]
        yield Result(what, "failed", f"it answers {last[:200]!r}", f"see {_LOGS}")
        return
    yield expect("runner: its health has the keys of its source", [], missing, "see docs/runner.md")
    reason = "" if said.get("ok") is True else str(said.get("reason") or "it gives no reason")
    cure = "see services/README.md, `When /healthz is not ok`"
    yield expect(what, "", reason, cure) if runs else expect(what, True, reason != "", cure)
    problems = said.get("problems") or []
    yield expect("runner: no job file and no token has a problem", [], problems, APPLY)
