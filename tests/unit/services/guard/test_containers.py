"""What the guard does with containers, before a Docker that dies where a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from services.guard.cache import Cache
from services.guard.containers import Containers
from services.guard.docker import Docker, DockerGoneError
from services.guard.ledger import Ledger
from services.guard.presence import Presence
from services.guard.refusal import Refusal
from services.jobs import Catalogue, names
from tests.unit.services.guard.given import ID, SETTINGS, new_watch
from tests.unit.services.guard.test_owned import LABELS, said

FULL = "f" * 64
VOLUME = names.volume(ID)


def new_containers(
    docker: object, folder: Path, presence: Presence | None = None, cache: Cache | None = None
) -> Containers:
    """Return the operations before what stands for Docker, with no job in the catalogue."""
    client = cast(Docker, docker)
    return Containers(
        client,
        SETTINGS,
        Catalogue(folder, 0),
        Ledger(folder / "heads"),
        new_watch(client, cache),
        presence or Presence(client),
    )


def test_the_volume_of_each_try_has_a_name_of_its_own() -> None:
    assert names.is_volume(VOLUME)
    assert names.volume(ID) != VOLUME


class _Starting:
    """Docker with one container, which it starts."""

    async def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, **_: object
    ) -> Any:
        return [] if path == "/containers/json" else said(Status="created")


def test_nothing_of_the_cache_goes_after_a_start_that_no_look_has_seen(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 90, 0)
    containers = new_containers(_Starting(), tmp_path, cache=cache)
    file = tmp_path / "a.jar"
    file.write_bytes(b"x")

    async def story() -> None:
        cache.mark()
        await containers.start(ID)
        await cache.prune()

    asyncio.run(story())
    assert file.exists()


class _Docker:
    """Docker with one container that was never started; it dies while it starts it, once."""

    def __init__(self) -> None:
        self.starts = 0

    async def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, **_: object
    ) -> Any:
        if path == "/containers/json":
            return []
        if path.endswith("/start"):
            self.starts += 1
            raise DockerGoneError("it died")
        return said(Status="created") if method == "GET" else None


def test_what_docker_may_have_started_is_not_started_again(tmp_path: Path) -> None:
    docker = _Docker()
    containers = new_containers(docker, tmp_path)

    async def story() -> None:
        with pytest.raises(DockerGoneError):
            await containers.start(ID)
        for _ in range(2):
            with pytest.raises(Refusal) as raised:
                await containers.start(ID)
            assert (raised.value.status, raised.value.code) == (409, "has_run")
            assert "a job's container runs once" in raised.value.message
        assert docker.starts == 1
        await containers.delete(ID)
        with pytest.raises(DockerGoneError):
            await containers.start(ID)

    asyncio.run(story())


class _Noting(Presence):
    """Says what a test says."""

    def __init__(self, said: list[str], *, has_lasted: bool) -> None:
        super().__init__(cast(Docker, None))
        self._said, self._has_lasted = said, has_lasted

    def note(self, full_id: str) -> None:
        self._said.append(f"note {full_id}")

    def has_lasted(self, full_id: str) -> bool:
        return self._has_lasted and full_id == FULL


class _Said:
    """Docker with one container that was never started, and two volumes of it; it says what it was
    asked for to change."""

    def __init__(self, said: list[str]) -> None:
        self._said = said

    async def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, **_: object
    ) -> Any:
        if method != "GET":
            self._said.append(f"{method} {path}")
        if path == "/containers/json":
            return []
        mounts = [{"Type": "volume", "Name": name} for name in (VOLUME, "data")]
        return said(Status="created") | {"Mounts": mounts} if method == "GET" else None


@pytest.mark.parametrize("has_lasted", [True, False])
def test_what_docker_did_is_noted_told_and_removed(tmp_path: Path, has_lasted: bool) -> None:
    """Before it starts a container: it may die in between. Of volumes, the job's own one goes."""
    done: list[str] = []
    presence = _Noting(done, has_lasted=has_lasted)
    containers = new_containers(_Said(done), tmp_path, presence)

    async def story() -> None:
        await containers.start(ID)
        assert (await containers.inspect(ID))["lost"] is not has_lasted
        await containers.delete(ID)

    asyncio.run(story())
    assert done == [
        f"note {FULL}",
        f"POST /containers/{FULL}/start",
        f"DELETE /containers/{FULL}",
        f"DELETE /volumes/{VOLUME}",
    ]


class _SlowDocker:
    """Docker with containers that were never started. It shows one as running before it has
    answered that it started it."""

    def __init__(self) -> None:
        self.running: list[str] = []

    async def call(
        self, method: str, path: str, query: Mapping[str, str] | None = None, **_: object
    ) -> Any:
        await asyncio.sleep(0)
        if path == "/containers/json":
            return [_of(each) | {"State": "running", "Created": 1} for each in self.running]
        job_id = path.split("/")[2][-32:]
        if method == "GET":
            return _of(job_id) | {"State": {"Status": "created"}}
        self.running.append(job_id)
        for _turn in range(20):
            await asyncio.sleep(0)
        return None


def _of(job_id: str) -> dict[str, Any]:
    name, labels = f"/clup-job-{job_id}", LABELS | {"clup.job.id": job_id}
    return said(name, labels) | {"Id": job_id * 2, "Names": [name], "Labels": labels}


def test_as_many_start_at_once_as_may_run(tmp_path: Path) -> None:
    docker = _SlowDocker()
    containers = new_containers(docker, tmp_path)

    async def late(number: int) -> bool:
        for _turn in range(number * 4):
            await asyncio.sleep(0)
        return await containers.start(f"{number:032x}")

    async def story() -> list[Any]:
        asked = (late(number) for number in range(SETTINGS.most_running + 2))
        return await asyncio.gather(*asked, return_exceptions=True)

    *begun, third, fourth = asyncio.run(story())
    assert begun == [True, True]
    assert isinstance(third, Refusal)
    assert isinstance(fourth, Refusal)
    assert (third.status, third.code) == (429, "full")
    assert len(docker.running) == SETTINGS.most_running
