"""Watches what runs: ends jobs that are over their time, their disk or their files, and notes what
they use. While nothing runs it has the cache pruned.

It needs no runner: a job whose runner died is ended all the same.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.guard.body import GRACE_SECONDS, MB
from services.guard.cache import Cache
from services.guard.docker import Docker, DockerError, DockerGoneError
from services.guard.files import counted, taken
from services.guard.owned import FILTER, Owned, listed, owned
from services.guard.say import say
from services.jobs import names

BUSY_SECONDS = 1.0
IDLE_SECONDS = 5.0
MEASURE_SECONDS = 2.0
SWEEP_SECONDS = 60.0
NEW_SECONDS = 3.0
"""Whatever runs no longer than this has just been started."""
SHARE = 5
"""Measuring takes at most one part in so many of the time: it walks through all volumes."""
UNMEASURED = -1
"""What Docker says of a volume that it could not walk through."""
UNMEASURED_READINGS = 2
"""So many in a row end a job: one may be a file that became a folder meanwhile."""

TIMED_OUT = "timed_out"
DISK_FULL = "disk_full"


@dataclass
class Seen:
    """A running container, as far as the watch knows it."""

    container: Owned
    since: float
    """When it was first seen running, on the monotonic clock: the machine's other one may jump."""
    before: float
    """Seconds that it had run then."""
    inodes: int
    """How many were taken beside its own, at most, as far as is known."""
    count_due: float = 0.0
    """When its files may be counted again, after a count that was not whole."""
    unmeasured: int = 0
    """Readings in a row in which Docker could not measure a volume of it."""
    usage: dict[str, Any] = field(default_factory=dict)
    sampling: asyncio.Task[None] | None = None
    reason: str = ""
    """Why the guard ended it."""
    ending: asyncio.Task[None] | None = None


class Watch:
    """The loop, and what it knows of each container by its full id."""

    def __init__(self, docker: Docker, cache: Cache):
        self.cache = cache
        self._docker = docker
        self._seen: dict[str, Seen] = {}
        self._wake = asyncio.Event()
        self._due = 0.0
        self._sweep_at = 0.0
        self._looked_at = -math.inf
        self._is_gone = False

    def wake(self) -> None:
        """Look now: something was started."""
        self._wake.set()

    def usage(self, full_id: str) -> Mapping[str, Any]:
        """Return what a container was last seen to use; nothing of one that ended before a look."""
        seen = self._seen.get(full_id)
        return seen.usage if seen else {}

    def reason(self, full_id: str) -> str:
        """Return why the guard ended a container, or nothing."""
        seen = self._seen.get(full_id)
        return seen.reason if seen else ""

    async def run(self) -> None:
        """Look again and again."""
        while True:
            is_busy = True
            self.cache.mark()
            try:
                is_busy = await self._look()
                if self._is_gone:
                    say("docker is back")
                    self._sweep_at = 0.0
                self._is_gone = False
                if time.monotonic() >= self._sweep_at:
                    await self._sweep()
                if not is_busy:
                    await self.cache.prune()
            except (DockerError, DockerGoneError) as error:
                if not self._is_gone:
                    say("docker is gone", error=str(error))
                self._is_gone = True
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), BUSY_SECONDS if is_busy else IDLE_SECONDS)
            self._wake.clear()

    async def _look(self) -> bool:
        began = time.monotonic()
        query = {"all": "1", "filters": FILTER}
        entries = await self._docker.call("GET", "/containers/json", query)
        present = {entry["Id"] for entry in entries}
        for full_id in self._seen.keys() - present:
            del self._seen[full_id]
        ours = {each["id"] for each in listed(entries)}
        running = []
        for entry in entries:
            job_id = (entry.get("Labels") or {}).get(names.LABEL_ID, "")
            if entry["State"] not in ("created", "exited", "dead", "removing") and job_id in ours:
                running.append(await self._noticed(entry["Id"], job_id))
        here = [seen for seen in running if seen]
        for seen in here:
            self._sample(seen)
            limit = seen.container.limits.seconds
            if elapsed(seen.since, seen.before, time.monotonic()) >= limit:
                self._end(seen, TIMED_OUT, f"over {limit} s")
            await self._count(seen, taken())
        if here and time.monotonic() >= self._due:
            await self._measure(here)
        self._looked_at = began
        return bool(here)

    async def _sweep(self) -> None:
        """Remove volumes of jobs whose container is no more: Docker died when it had made the one
        and not the other, or had removed the other. It holds one that it is making a container for.
        """
        query = {"filters": json.dumps({"dangling": ["true"]})}
        said = await self._docker.call("GET", "/volumes", query)
        for name in filter(names.is_volume, (each["Name"] for each in said.get("Volumes") or [])):
            with suppress(DockerError):
                await self._docker.call("DELETE", f"/volumes/{name}")
                say("volume of no container removed", name=name)
        self._sweep_at = time.monotonic() + SWEEP_SECONDS

    async def _noticed(self, full_id: str, job_id: str) -> Seen | None:
        if full_id not in self._seen:
            try:
                said = await self._docker.call("GET", f"/containers/{full_id}/json")
            except DockerError:
                return None
            container = owned(said, job_id)
            if container is None:
                return None
            # Since the last look at most, if there was one: the machine's clock may have jumped.
            most = min(container.limits.seconds, time.monotonic() - self._looked_at)
            before = ran_before(said["State"]["StartedAt"], time.time(), most)
            # Of one that ran before it was seen, nobody knows how many are its own.
            inodes = taken() if before < NEW_SECONDS else 0
            self._seen[full_id] = Seen(container, time.monotonic(), before, inodes)
        return self._seen[full_id]

    async def _count(self, seen: Seen, inodes: int) -> None:
        """Given how many inodes are taken, count a container's files when they may be too many."""
        seen.inodes = min(seen.inodes, inodes)
        limit = seen.container.limits.files
        begun = time.monotonic()
        if inodes - seen.inodes <= limit or begun < seen.count_due:
            return
        found, is_whole = await counted(self._docker, seen.container.full_id, limit)
        if found > limit:
            seen.usage["files"] = found
            self._end(seen, DISK_FULL, f"over {limit} files in {names.WORK}")
        elif is_whole:
            seen.usage["files"] = found
            seen.inodes = inodes - found
        else:
            # What the count has missed may be the job's own: it is not booked as somebody else's.
            now = time.monotonic()
            seen.count_due = now + SHARE * (now - begun)

    async def _measure(self, running: list[Seen]) -> None:
        begun = time.monotonic()
        said = await self._docker.call("GET", "/system/df", {"type": "volume"}, seconds=600)
        sizes = volume_sizes(said)
        for seen in running:
            self._weigh(seen, [sizes.get(name, 0) for name in seen.container.volumes])
        now = time.monotonic()
        self._due = now + max(MEASURE_SECONDS, SHARE * (now - begun))

    def _weigh(self, seen: Seen, sizes: Sequence[int]) -> None:
        """Given the sizes of a container's volumes, end it when they are too large, or when Docker
        cannot tell: in folders that are deeper than a path can be long, anything may lie."""
        known = sum(size for size in sizes if size != UNMEASURED)
        seen.unmeasured = seen.unmeasured + 1 if UNMEASURED in sizes else 0
        if not seen.unmeasured:
            seen.usage["disk_bytes"] = known
        limit = seen.container.limits.disk_mb
        if known > limit * MB:
            self._end(seen, DISK_FULL, f"over {limit} MB in {names.WORK}")
        elif seen.unmeasured >= UNMEASURED_READINGS:
            self._end(seen, DISK_FULL, f"Docker cannot measure {names.WORK}")

    def _sample(self, seen: Seen) -> None:
        """Have memory and processor time of a container looked at, unless that is under way.

        Nothing waits for it: Docker looks at no container more than once a second, and keeps
        whoever asks until then. The first of all is answered at once.
        """
        if seen.sampling is None or seen.sampling.done():
            seen.sampling = asyncio.create_task(self._sampled(seen))

    async def _sampled(self, seen: Seen) -> None:
        path = f"/containers/{seen.container.full_id}/stats"
        with suppress(DockerError, DockerGoneError):
            said = await self._docker.call("GET", path, {"stream": "false", "one-shot": "true"})
            seen.usage |= used(said, seen.usage)

    def _end(self, seen: Seen, reason: str, why: str) -> None:
        """Have a container ended, unless that is under way. Docker's restart undoes nothing: what
        still runs at the next look is ended again."""
        if seen.ending is None or seen.ending.done():
            if not seen.reason:
                say("ended", id=seen.container.id, job=seen.container.job, why=why)
            seen.reason = seen.reason or reason
            seen.ending = asyncio.create_task(self._ended(seen.container.full_id, reason))

    async def _ended(self, full_id: str, reason: str) -> None:
        """Ask a job that is over its time to end; kill one that fills the disk at once."""
        with suppress(DockerError, DockerGoneError):
            if reason == DISK_FULL:
                await self._docker.call("POST", f"/containers/{full_id}/kill")
            else:
                await self._docker.call(
                    "POST", f"/containers/{full_id}/stop", {"t": str(GRACE_SECONDS)}
                )


def elapsed(since: float, before: float, now: float) -> float:
    """Return how long a container has run, in seconds."""
    return before + now - since


def ran_before(started: str, now: float, most: float) -> float:
    """Given when a container was started, by Docker, the time now and the most seconds that it can
    have run, return for how many it has: 0 to the most, whatever the clocks say."""
    try:
        # Docker writes nanoseconds, of which Python reads six digits.
        text = started.removesuffix("Z").partition(".")[0] + "+00:00"
        begun = datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0.0
    return min(max(now - begun, 0.0), most)


def volume_sizes(said: Mapping[str, Any]) -> dict[str, int]:
    """Given Docker's answer about the disk, return the bytes of each volume that it looked at,
    UNMEASURED of those that it could not walk through."""
    return {
        each["Name"]: each["UsageData"]["Size"]
        for each in said.get("Volumes") or []
        if "Size" in (each.get("UsageData") or {})
    }


def used(said: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Given Docker's statistics and what was known before, return memory (the most that was seen)
    and processor time. Of a container that has ended Docker says zeros: those are left out."""
    memory = (said.get("memory_stats") or {}).get("usage", 0)
    nanoseconds = ((said.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage", 0)
    found = {
        "memory_bytes": max(memory, before.get("memory_bytes", 0)),
        "cpu_seconds": max(round(nanoseconds / 1e9, 3), before.get("cpu_seconds", 0)),
    }
    return {name: value for name, value in found.items() if value}
