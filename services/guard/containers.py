"""What is done with the containers of jobs, each in a few calls of Docker's API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from weakref import WeakValueDictionary

import aiohttp

from services.guard.asked import Asked
from services.guard.body import GRACE_SECONDS, body, folders
from services.guard.docker import Docker, DockerError, DockerGoneError
from services.guard.ledger import Ledger
from services.guard.owned import FILTER, Owned, listed, owned, result, shown
from services.guard.presence import Presence
from services.guard.refusal import Refusal, absent
from services.guard.say import say
from services.guard.settings import Settings
from services.guard.watch import Watch
from services.jobs import Catalogue, Job, JobError, names

_ARCHIVES = 4
"""Archives that are read at a time: each keeps Docker busy."""


class Containers:
    """The operations behind the guard's door. They raise Refusal, DockerError, DockerGoneError."""

    def __init__(
        self,
        docker: Docker,
        settings: Settings,
        jobs: Catalogue,
        ledger: Ledger,
        watch: Watch,
        presence: Presence,
    ):
        self.docker = docker
        self.settings = settings
        self.jobs = jobs
        self.ledger = ledger
        self.watch = watch
        self.presence = presence
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._archives = asyncio.Semaphore(_ARCHIVES)
        self._coming: dict[str, set[str]] = {"all": set(), "running": set()}
        """The ids of those that are being made, or started. Docker may list them already."""
        self._unsure: set[str] = set()
        """The full ids of containers that Docker was starting when it went away. It may have begun
        them and forgotten that: it would run them a second time."""

    async def version(self) -> dict[str, Any]:
        """Return Docker's version, and which catalogue of jobs is in force."""
        said = await self.docker.version()
        jobs = self.jobs.current()
        problems = [str(problem) for problem in jobs.problems]
        return {
            "ApiVersion": said["ApiVersion"],
            "Version": said["Version"],
            "guard": {"catalogue": jobs.digest, "problems": problems},
        }

    async def list(self) -> list[dict[str, Any]]:
        """Return our own containers in all states."""
        return listed(await self._entries({"all": "1"}))

    async def create(self, asked: Asked) -> None:
        """Make the container of a job; it is not started."""
        job = self.jobs.current().jobs.get(asked.job)
        if job is None:
            raise Refusal(404, "no_job", f"there is no job {asked.job[:60]!r} in the catalogue")
        try:
            environment = job.environment(asked.parameters)
        except JobError as error:
            raise Refusal(
                422,
                "parameters",
                "the parameters do not fit",
                [str(each) for each in error.problems],
            ) from error
        async with self._lock(asked.id), self._room("all", asked.id):
            await self._note(asked)
            await self._make(job, asked, environment)
        say("created", id=asked.id, job=job.name, head=asked.head)

    async def _note(self, asked: Asked) -> None:
        try:
            await asyncio.to_thread(self.ledger.note, asked.id, asked.job, asked.head)
        except OSError as error:
            say("ledger failed", id=asked.id, error=str(error))
            message = f"the audit chain's head cannot be noted ({error.strerror or error})"
            raise Refusal(
                503, "ledger", f"{message}; make room where the guard keeps it"
            ) from error

    async def _make(self, job: Job, asked: Asked, environment: dict[str, str]) -> None:
        if lacking := await self.docker.lacking():
            message = f"Docker here has no {', '.join(sorted(lacking))}; see `docker info`"
            raise Refusal(503, "no_limits", message)
        volume = names.volume(asked.id)
        wanted = body(job, asked, environment, volume, self.settings)
        query = {"name": names.container(asked.id)}
        try:
            made = await self.docker.call("POST", "/containers/create", query, wanted)
        except DockerError as error:
            if error.status == 409:
                raise Refusal(409, "taken", "there is a container of this id already") from error
            if error.status == 404:
                message = f"the image {job.image} is not on this machine; load it"
                raise Refusal(424, "no_image", message) from error
            raise
        try:
            await self.docker.call(
                "PUT",
                f"/containers/{made['Id']}/archive",
                {"path": names.WORK},
                folders(job, self.settings),
            )
        except BaseException:
            await self._remove(made["Id"], [volume], force="1")
            raise

    async def inspect(self, job_id: str) -> dict[str, Any]:
        """Return what is known of a container."""
        container = await self._find(job_id)
        full_id = container.full_id
        return shown(
            container,
            self.watch.usage(full_id),
            self.watch.reason(full_id),
            self.presence.has_lasted(full_id),
        )

    async def start(self, job_id: str) -> bool:
        """Start a container that never ran. Return whether it was not running yet."""
        async with self._lock(job_id):
            container = await self._find(job_id)
            if container.is_running:
                return False
            if container.state != "created":
                message = f"the container is {container.state}; a job's container runs once"
                raise Refusal(409, "has_run", message)
            if container.full_id in self._unsure:
                message = "Docker went away while it started the container, which may have run"
                raise Refusal(409, "has_run", f"{message}; a job's container runs once")
            async with self._room("running", job_id), self.watch.cache.used():
                await self._start(container.full_id)
        self.watch.wake()
        say("started", id=job_id, job=container.job)
        return True

    async def _start(self, full_id: str) -> None:
        self.presence.note(full_id)
        try:
            await self.docker.call("POST", f"/containers/{full_id}/start")
        except DockerError as error:
            raise Refusal(424, "not_started", error.message) from error
        except DockerGoneError:
            self._unsure.add(full_id)
            raise

    async def wait(self, job_id: str) -> dict[str, Any]:
        """Return how a container ended, once it is not running."""
        container = await self._find(job_id)
        path = f"/containers/{container.full_id}/wait"
        await self.docker.call("POST", path, {"condition": "not-running"}, seconds=None)
        return result(await self._find(job_id))

    async def stop(self, job_id: str, seconds: str | None) -> None:
        """Ask a container to end, and kill it after so many seconds."""
        container = await self._find(job_id)
        query = {"t": seconds or str(GRACE_SECONDS)}
        path = f"/containers/{container.full_id}/stop"
        await self.docker.call("POST", path, query, seconds=120)

    async def kill(self, job_id: str) -> None:
        """Kill a container."""
        container = await self._find(job_id)
        await self.docker.call("POST", f"/containers/{container.full_id}/kill")

    async def delete(self, job_id: str) -> None:
        """Remove a container that is not running, with its volumes."""
        async with self._lock(job_id):
            container = await self._find(job_id)
            if container.is_running:
                raise Refusal(409, "running", "the container is running; stop it first")
            await self._remove(container.full_id, container.volumes)
        say("deleted", id=job_id, job=container.job)

    async def _remove(self, full_id: str, volumes: Iterable[str], force: str = "0") -> None:
        """Remove a container with its volumes. What is left of these the watch removes later."""
        await self.docker.call("DELETE", f"/containers/{full_id}", {"v": "1", "force": force})
        self._unsure.discard(full_id)
        self.presence.forget(full_id)
        for name in filter(names.is_volume, volumes):
            with suppress(DockerError):
                await self.docker.call("DELETE", f"/volumes/{name}")

    @asynccontextmanager
    async def logs(
        self, job_id: str, follow: str, tail: str
    ) -> AsyncIterator[tuple[Owned, aiohttp.ClientResponse]]:
        """Lend a container, and the stream of its output from Docker."""
        container = await self._find(job_id)
        query = {"stdout": "1", "stderr": "1", "follow": follow, "tail": tail}
        path = f"/containers/{container.full_id}/logs"
        async with self.docker.stream("GET", path, query) as answer:
            yield container, answer

    @asynccontextmanager
    async def archive(self, job_id: str) -> AsyncIterator[tuple[Owned, aiohttp.ClientResponse]]:
        """Lend a container that is not running, and its artifacts from Docker, as a tar archive."""
        async with self._archives:
            container = await self._find(job_id)
            if container.is_running:
                raise Refusal(409, "running", "the container is running; wait for its end")
            path = f"/containers/{container.full_id}/archive"
            async with self.docker.stream("GET", path, {"path": names.ARTIFACTS}) as answer:
                yield container, answer

    async def _find(self, job_id: str) -> Owned:
        try:
            said = await self.docker.call("GET", f"/containers/{names.container(job_id)}/json")
        except DockerError as error:
            if error.status == 404:
                raise absent() from error
            raise
        container = owned(said, job_id)
        if container is None:
            raise absent()
        return container

    async def _entries(self, query: Mapping[str, str]) -> Any:
        return await self.docker.call("GET", "/containers/json", {**query, "filters": FILTER})

    def _lock(self, job_id: str) -> asyncio.Lock:
        """Return the lock of a job's container: one change of it at a time."""
        return self._locks.setdefault(job_id, asyncio.Lock())

    @asynccontextmanager
    async def _room(self, what: str, job_id: str) -> AsyncIterator[None]:
        """Hold a place for a container among all of ours, or those that run: of both there are so
        many at most."""
        is_all = what == "all"
        most = self.settings.most_containers if is_all else self.settings.most_running
        self._coming[what].add(job_id)
        # Those who come later count this one. Those before are counted here, also if they have
        # ended their coming when Docker's list is read.
        taken = set(self._coming[what])
        try:
            entries = await self._entries({"all": "1"} if is_all else {})
            if len(taken.union(each["id"] for each in listed(entries))) > most:
                message = f"{most} containers are {'there' if is_all else 'running'} already"
                raise Refusal(429, "full", f"{message}; wait for one to end, or delete one")
            yield
        finally:
            self._coming[what].discard(job_id)
