"""Runners that are each weaker in one place, as programs: see weaker.py.

The attacks must catch every one of them. Each is what somebody might well have written.
"""

from __future__ import annotations

import asyncio
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from services.runner import __main__ as program
from services.runner import artifacts, asking, collect, door, routes, scheduler, turns
from services.runner.callers import Caller
from services.runner.records import Record, Request
from services.runner.store import Store
from services.runner.workshop import Workshop
from tests.attacks.weaker import main, put, weakened


@weakened
def shows_any_job() -> None:
    """Whoever knows a job's id may see it."""

    async def seen(shop: Workshop, _: Caller, job_id: str) -> Record:
        record = await shop.desk(Store.get, job_id)
        if record is None:
            raise asking.unknown_job(job_id)
        return record

    put(asking, "see_job", seen)
    put(routes, "see_job", seen)


@weakened
def runs_whatever_there_is() -> None:
    """It shows a caller its jobs alone, and runs any that is asked for."""
    put(Caller, "may_run", lambda *_: True)


@weakened
def shares_idempotency_keys() -> None:
    """It looks a key up, and not whose it is."""
    plain = Store.accept

    def accept(self: Store, request: Request, *most: int) -> tuple[Record, bool]:
        if request.key is not None:
            for former in self._records("WHERE idempotency_key = ?", request.key):
                return former, False
        return plain(self, request, *most)

    put(Store, "accept", accept)


@weakened
def counts_before_it_writes() -> None:
    """It counts what waits, and then takes its time to write the job down."""
    plain = asking.run_job

    async def late(shop: Workshop, queue: Any, caller: Caller, *asked: Any) -> Record:
        waiting = await shop.desk(Store.queue)
        if sum(each.caller == caller.name for each in waiting) < caller.queued:
            await asyncio.sleep(0.5)
            caller = replace(caller, queued=10_000)
        return await plain(shop, queue, caller, *asked)

    put(routes, "run_job", late)


@weakened
def begins_all_that_waits() -> None:
    """It begins what there is room for, whosever it is."""
    plain = turns.choose
    put(scheduler, "choose",
        lambda queue, _, *others: plain(queue, {}, *others))  # fmt: skip


@weakened
def takes_a_token_from_the_query() -> None:
    """A token may be in the query too, for whoever cannot set headers."""
    plain = door.SmallBodies.__call__

    async def called(self: door.SmallBodies, scope: Any, receive: Any, send: Any) -> None:
        for token in parse_qs(scope.get("query_string", b"")).get(b"access_token", []):
            scope["headers"] = [*scope["headers"], (b"authorization", b"Bearer " + token)]
        await plain(self, scope, receive, send)

    put(door.SmallBodies, "__call__", called)


@weakened
def follows_the_names_of_artifacts() -> None:
    """It opens what a request names below the folder, without a look at what is there."""

    class Anything(dict[str, int]):
        def __contains__(self, _: object) -> bool:
            return True

    put(routes, "dict", Anything)


@weakened
def unpacks_artifacts_as_they_are() -> None:
    """It unpacks the archive with the library's own function."""

    def unpacked(archive: Path, folder: Path, _: int) -> artifacts.Collected:
        with tarfile.open(archive) as tar:
            tar.extractall(folder.parent / "raw", filter="fully_trusted")
        (folder.parent / "raw" / artifacts.FOLDER).rename(folder)
        files = sum(path.is_file() for path in folder.rglob("*"))
        return artifacts.Collected(files=max(files, 1))

    put(collect, "extract", unpacked)


if __name__ == "__main__":
    main(program.main)
