"""Where the runner's things lie on the machine, and the texts that the role puts there."""

from __future__ import annotations

import json
from collections.abc import Iterator

from clup.operations.files import File
from clup.operations.made_files import Made
from roles.runner.settings import CACHE, DATA, GUARD, MOUNT, RUNNER, Caller, Ids, Settings

REPOSITORIES = f"{MOUNT}/openclaw/repo"

JOBS_CACHE = f"{CACHE}/gradle"
AUDIT = f"{DATA}/audit"
JOBS = f"{DATA}/jobs"
KEYS = f"{DATA}/keys"
TOKENS = f"{DATA}/tokens"
LEDGER = f"{DATA}/ledger/heads"

SOCKET_FOLDER = "/run/clup-docker"
SOCKET = f"{SOCKET_FOLDER}/api.sock"
SOCKET_UNIT = "clup-docker-guard.socket"
SOCKET_OWNER = ("root", GUARD, "0660")
"""Its user, group and mode."""

# Docker's own socket belongs to the group docker, whose id is another one on each machine, and lies
# in /run, which cannot be mounted. A second one, in a folder of its own and for a group of its own,
# is passed to the same daemon. It outlives restarts of Docker and of docker.socket. Docker starts
# after it, and so after the disk whose folders the stack mounts; nothing else of a boot waits.
_SOCKET_UNIT = f"""[Unit]
Description=Docker's API for the guard of jobs alone
DefaultDependencies=no
RequiresMountsFor={MOUNT}
Conflicts=shutdown.target
Before=shutdown.target

[Socket]
ListenStream={SOCKET}
Service=docker.service
SocketUser={SOCKET_OWNER[0]}
SocketGroup={SOCKET_OWNER[1]}
SocketMode={SOCKET_OWNER[2]}
DirectoryMode=0755

[Install]
WantedBy=docker.service
"""


def socket_file() -> File:
    """Return the unit of the guard's socket."""
    return File(f"/etc/systemd/system/{SOCKET_UNIT}", _SOCKET_UNIT)


def cache_file() -> File:
    """Return what lets the guard prune the cache: trusted jobs make folders of their own in it."""
    line = f"a+ {JOBS_CACHE} - - - - default:user:{GUARD}:rwx\n"
    return File("/etc/tmpfiles.d/clup-runner.conf", line)


def wrong_writers(writers: list[int], ids: Ids) -> str:
    """Given who may do all in folders that are made in the cache, return what is wrong with it, or
    nothing. Others run what lies there, and the runner, which talks to callers, must not write
    it."""
    if ids.runner in writers:
        return f"{JOBS_CACHE} lets the runner write"
    return "" if ids.guard in writers else f"{JOBS_CACHE} does not let the guard remove files"


def rights(name: str, caller: Caller) -> File:
    """Given a caller by name, return the file that says what it may do."""
    said = {
        "jobs": caller.jobs if caller.jobs == "all" else list(caller.jobs),
        "parallel": caller.parallel,
        "queued": caller.queued,
        "sees": caller.sees,
    }
    return File(
        f"{TOKENS}/{name}.yaml",
        "".join(f"{key}: {json.dumps(value)}\n" for key, value in said.items()),
    )


def made(settings: Settings) -> Iterator[Made]:
    """Yield the files whose content is made on the machine: key, tokens, ledger."""
    yield Made(f"{KEYS}/guard", RUNNER, GUARD, "0440", is_key=True)
    yield Made(LEDGER, GUARD, "psy", "0640", is_key=False)
    for name in settings.callers:
        yield Made(f"{TOKENS}/{name}", RUNNER, RUNNER, "0400", is_key=True)
