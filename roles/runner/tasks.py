"""The guard's socket, keys and tokens, the jobs, then the stack that needs them all."""

from __future__ import annotations

from pyinfra.context import host

from clup.command import sh
from clup.facts.acl import DefaultWriters
from clup.operations import docker_socket, files, made_files
from clup.operations.foreign import set_aside
from clup.operations.programs import program
from roles.runner.files import (
    AUDIT,
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
from roles.runner.images import path, to_load
from roles.runner.jobs import read
from roles.runner.settings import MOUNT, Settings
from roles.runner.stacks import stacks

_SOCKET = "runner-socket"
_CACHE = "runner-cache"


def converge(settings: Settings) -> None:
    """Call the role's operations, within a deploy; none where the runner is not enabled."""
    if not settings.enabled:
        return
    # Only a machine with a runner pays for what renders and judges its stack.
    from clup.operations.stacks import running

    unit = socket_file()
    by_name, jobs, _ = read(settings)
    allowed = [rights(name, caller) for name, caller in settings.callers.items()]
    cache = cache_file()
    paths = (unit, cache, *jobs, *allowed)
    among = (SOCKET, *(file.path for file in paths), files.marker(_SOCKET), files.marker(_CACHE))
    docker_socket.offered(
        name="Give the guard a socket of Docker's of its own",
        unit=SOCKET_UNIT,
        file=unit,
        socket=SOCKET,
        owner=SOCKET_OWNER,
        pending=_SOCKET,
        among=among,
    )
    ids = settings.ids
    files.configured(
        name="Let the guard prune the cache of jobs",
        files=[cache],
        then=[
            sh("systemd-tmpfiles", "--create", cache.path),
            # What the runner was once let do there, it could do to what others run.
            program("acl", JOBS_CACHE, str(ids.runner), str(ids.guard)),
        ],
        pending=_CACHE,
        because=wrong_writers(host.get_fact(DefaultWriters, folder=JOBS_CACHE), ids),
        among=among,
    )
    made_files.made(
        name="Make the keys and tokens that are not there yet",
        files=tuple(made(settings)),
        mount=MOUNT,
    )
    files.configured(name="Say what each caller may run", files=allowed, among=among)
    # Before the jobs: a runner that is up would take one whose image is not there.
    if wanted := to_load(settings, by_name.values()):
        from clup.operations.images import loaded

        loaded(name="Bring the images of the bundle", bundle=path(settings), images=wanted)
    set_aside(name="Set aside jobs that somebody but root could write", folder=JOBS)
    files.configured(name="Put the jobs in place", files=jobs, among=among)
    # What another program has logged there would pass for a chain that was touched.
    set_aside(
        name="Set aside records that are not the runner's",
        folder=AUDIT,
        owner=settings.ids.runner,
        names="*.jsonl",
    )
    for spec in stacks(settings):
        running(name="Run guard and runner", stack=spec)
