"""Guards that are each weaker in one place, as programs: see weaker.py.

The attacks must catch every one of them. Each is what somebody might well have written.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import web

from services.guard import __main__ as program
from services.guard import app, asked, body, containers, cut, owned, watch
from services.guard.refusal import Refusal
from services.jobs import Job, catalogue, names
from tests.attacks.weaker import main, put, weakened


@weakened
def merges_what_the_client_wrote() -> None:
    """It adds its own body to the client's, as a filter of bodies does."""
    sent: dict[str, Any] = {}

    def tolerant(data: bytes, job_id: str) -> asked.Asked:
        sent.clear()
        sent.update(json.loads(data))
        return strict(json.dumps({"Labels": sent.pop("Labels")}).encode(), job_id)

    def merged(*given: Any) -> dict[str, Any]:
        made = plain(*given)
        made["HostConfig"] |= sent.pop("HostConfig", {})
        return made | sent

    strict, plain = asked.asked, body.body
    put(app, "asked", tolerant)
    put(containers, "body", merged)


@weakened
def asks_for_no_key() -> None:
    """Whoever reaches it is the runner."""
    put(app.App, "_check_key", lambda *_: None)


@weakened
def compares_the_beginning_of_the_key() -> None:
    """It looks whether what was sent begins with the key."""

    def begins(self: app.App, request: web.BaseRequest) -> None:
        if not request.headers.get("Authorization", "").encode().startswith(self._key):
            raise Refusal(401, "key", "no key")

    put(app.App, "_check_key", begins)


@weakened
def trusts_a_connection_that_was_greeted() -> None:
    """It keeps connections, and asks for the key with the first request alone."""
    greeted: set[object] = set()
    check, handle = app.App._check_key, app.App.handle

    def once(self: app.App, request: web.BaseRequest) -> None:
        if request.protocol not in greeted:
            check(self, request)

    async def kept(self: app.App, request: web.BaseRequest) -> web.StreamResponse:
        response = await handle(self, request)
        greeted.add(request.protocol)
        response._keep_alive = True
        return response

    put(app.App, "_check_key", once)
    put(app.App, "handle", kept)


@weakened
def takes_any_container_for_its_own() -> None:
    """It judges neither name nor labels, as Docker's API does not."""

    def any_id(text: str) -> bool:
        return bool(text)

    def anyones(said: Mapping[str, Any], job_id: str) -> owned.Owned:
        labels = said["Config"]["Labels"] or {}
        limits = body.limits_of(labels.get(body.LABEL_LIMITS, "{}"))
        return owned.Owned(said["Id"], job_id, labels.get(names.LABEL_JOB, ""), limits, said)

    def any_name(job_id: str) -> str:
        return f"clup-job-{job_id}" if plain(job_id) else job_id

    plain = names.is_id
    put(names, "is_id", any_id)
    put(names, "container", any_name)
    put(containers, "owned", anyones)


@weakened
def passes_on_what_only_reads() -> None:
    """It forwards GET requests that it does not know: reading harms nobody."""
    answer = app.App._answer

    async def forwarded(self: app.App, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await answer(self, request)
        except Refusal:
            if request.method != "GET":
                raise
            docker = self.containers.docker
            async with docker._answer("GET", request.raw_path) as found:
                return web.Response(body=await found.read())

    put(app.App, "_answer", forwarded)


@weakened
def takes_any_parameter() -> None:
    """Each parameter becomes a variable as it is."""

    def loose(self: Job, given: Mapping[str, object]) -> dict[str, str]:
        return {
            f"PARAM_{name.upper()}" if name in self.parameters else name: str(value)
            for name, value in given.items()
        }

    put(Job, "environment", loose)


@weakened
def glues_parameters_into_the_command() -> None:
    """Parameters become words of the command's last word, which a shell reads."""
    takes_any_parameter()

    def glued(job: Job, wanted: Any, *rest: Any) -> dict[str, Any]:
        words = " ".join(str(value) for value in wanted.parameters.values())
        command = (*job.command[:-1], f"{job.command[-1]} {words}")
        return plain(replace(job, command=command), wanted, *rest)

    plain = body.body
    put(containers, "body", glued)


@weakened
def leaves_jobs_to_the_runner() -> None:
    """It ends nothing by itself."""
    put(watch.Watch, "_end", lambda *_: None)


@weakened
def passes_all_output() -> None:
    """The log is as long as it is."""
    put(cut.Cut, "passed", lambda _, data: data)


@weakened
def passes_all_artifacts() -> None:
    """The archive is as large as it is."""
    plain = body.limits_of
    put(
        owned, "limits_of", lambda text: replace(plain(text), artifacts_mb=1 << 20, disk_mb=1 << 20)
    )


@weakened
def mounts_for_writing() -> None:
    """It forgets that a mount is to be read-only."""
    plain = body._bind
    put(
        body,
        "_bind",
        lambda source, target, is_read_only: plain(source, target, is_read_only=False),
    )


@weakened
def runs_as_the_image_says() -> None:
    """It leaves user, capabilities and privileges to the image."""
    plain = body.body

    def lax(*given: Any) -> dict[str, Any]:
        made = plain(*given)
        made["User"] = "0:0"
        made["HostConfig"] |= {"CapDrop": [], "SecurityOpt": [], "ReadonlyRootfs": False}
        return made

    put(containers, "body", lax)


@weakened
def gives_a_network() -> None:
    """It leaves the network as Docker has it."""
    plain = body.body

    def connected(*given: Any) -> dict[str, Any]:
        made = plain(*given)
        made["NetworkDisabled"] = False
        made["HostConfig"]["NetworkMode"] = "bridge"
        return made

    put(containers, "body", connected)


@weakened
def starts_what_has_ended() -> None:
    """A container that has ended is started again."""

    def again(self: owned.Owned) -> str:
        state = str(self.said["State"]["Status"])
        return "created" if state == "exited" else state

    put(owned.Owned, "state", property(again))


@weakened
def counts_no_containers() -> None:
    """It makes as many containers as it is asked for."""

    @asynccontextmanager
    async def room(*_: object) -> AsyncIterator[None]:
        yield

    put(containers.Containers, "_room", room)


@weakened
def counts_no_files() -> None:
    """It looks at bytes alone."""

    async def nothing(*_: object) -> None:
        return

    put(watch.Watch, "_count", nothing)


@weakened
def takes_what_is_not_measured_for_nothing() -> None:
    """Of a volume that Docker cannot measure it thinks that nothing is there."""
    sound = watch.volume_sizes

    def measured(said: Mapping[str, Any]) -> dict[str, int]:
        return {name: max(size, 0) for name, size in sound(said).items()}

    put(watch, "volume_sizes", measured)


@weakened
def takes_anybodys_job_files() -> None:
    """It does not look at who can write a job's file."""
    put(catalogue, "_writers", lambda *_: [])


if __name__ == "__main__":
    main(program.main)
