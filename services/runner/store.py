"""The state of all jobs, in SQLite: what was answered is on disk, and its audit line with it.

Each method is one transaction, written through to the disk before it returns (WAL, synchronous
FULL). A change of a state and its audit line are in the same one: neither is ever there alone.
Times are those of the caller's `now`, which may jump; what came after what, `seq` tells.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from services.audit import chain
from services.runner import records, room, schema
from services.runner.records import COLUMNS, Record, Request, Result
from services.runner.states import NEXT, State, is_final
from services.runner.turns import Waiting

_HOUR = timedelta(hours=1)


class StoreError(Exception):
    """The store cannot be read or written now: a full or broken disk."""


class KeyReusedError(Exception):
    """An idempotency key came with another request before. Has that job."""

    def __init__(self, record: Record):
        super().__init__(record.id)
        self.record = record


class QueueFullError(Exception):
    """No more jobs may wait, of this caller or of all."""


class TooOftenError(Exception):
    """No more jobs of this caller are accepted within the hour."""


def utc_now() -> str:
    """Return the time as the store and the audit chain write it."""
    return _written(datetime.now(UTC))


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """One connection, for one thread at a time."""

    def __init__(self, path: Path, now: Callable[[], str] = utc_now):
        self._now = now
        self._folder = path.parent
        self._has_failed = False
        # Jobs up to `_before` were there an hour ago, whatever the time was said to be.
        self._before, self._mark, self._marked_at = 0, 0, time.monotonic()
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            version = schema.prepare(self._db)
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}; see that its folder is writable") from error
        if version not in (0, schema.VERSION):
            raise StoreError(
                f"{path}: was written by a newer runner (version {version}, this one knows "
                f"{schema.VERSION}); start that one"
            )

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def accept(
        self, request: Request, queued: int, queued_of_all: int, hourly: int
    ) -> tuple[Record, bool]:
        """Put a job into the queue, and return it with True.

        A request that came before with the same idempotency key has its job already: return that
        with False. Raise KeyReusedError; QueueFullError when so many of the caller or of all wait
        already; TooOftenError when so many of the caller were accepted within the last hour,
        whatever became of them; or StoreError, also when the disk is nearly full.
        """
        with self._changing():
            if request.key is not None:
                where = "WHERE caller = ? AND idempotency_key = ?"
                for former in self._records(where, request.caller, request.key):
                    if (former.job, former.parameters) != (request.job, request.parameters):
                        raise KeyReusedError(former)
                    return former, False
            counted = "SELECT count(*), ifnull(sum(caller = ?), 0) FROM jobs WHERE state = 'queued'"
            of_all, own = self._db.execute(counted, (request.caller,)).fetchone()
            if own >= queued or of_all >= queued_of_all:
                raise QueueFullError
            now = self._now()
            if self._comes_too_often(request.caller, now, hourly):
                raise TooOftenError
            self._see_room()
            job_id = secrets.token_hex(16)
            self._db.execute(
                "INSERT INTO jobs (id, job, caller, parameters, image, state, created,"
                " idempotency_key) VALUES (?, ?, ?, ?, ?, 'queued', ?, ?)",
                (
                    job_id,
                    request.job,
                    request.caller,
                    json.dumps(dict(request.parameters)),
                    request.image,
                    now,
                    request.key,
                ),
            )
            record = self._one(job_id)
            self._audit(record)
            return record, True

    def begin(self, job_id: str, image: str) -> Record | None:
        """Let a queued job run; None when it is no longer queued, or about to be cancelled."""
        with self._changing():
            record = self._one(job_id)
            if record.state != "queued" or record.cancelling:
                return None
            return self._move(replace(record, image=image, started=self._now()), "running")

    def finish(self, job_id: str, state: State, result: Result) -> Record | None:
        """Let a job end in a state; None when it had ended before."""
        with self._changing():
            record = self._one(job_id)
            if is_final(record.state):
                return None
            return self._move(replace(record, result=result, finished=self._now()), state)

    def cancel(self, job_id: str, by: str) -> Record:
        """Note which caller wants a job's end, the first who does. One that waits has ended with
        that; one that runs is to be ended by whoever watches it, and whatever becomes of it, the
        audit line of its end names that caller."""
        with self._changing():
            record = self._one(job_id)
            if is_final(record.state) or record.cancelling:
                return record
            record = replace(record, cancelling=True, cancelled_by=by)
            if record.state == "queued":
                result = Result(reason="a caller asked for its end before it began")
                return self._move(replace(record, result=result, finished=self._now()), "cancelled")
            self._db.execute(
                "UPDATE jobs SET cancelling = 1, cancelled_by = ? WHERE id = ?", (by, job_id)
            )
            return record

    def get(self, job_id: str) -> Record | None:
        """Return a job, None when there is none of that id."""
        with self._reading():
            return next(iter(self._records("WHERE id = ?", job_id)), None)

    def listing(
        self,
        caller: str | None = None,
        state: State | None = None,
        job: str | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Record]:
        """Return jobs, the newest first: of a caller, in a state, of a name, older than a `seq`."""
        asked = {"caller = ?": caller, "state = ?": state, "job = ?": job, "seq < ?": before}
        terms = {term: value for term, value in asked.items() if value is not None}
        where = f"WHERE {' AND '.join(terms)}" if terms else ""
        with self._reading():
            return self._records(f"{where} ORDER BY seq DESC LIMIT {limit:d}", *terms.values())

    def unfinished(self, state: State) -> list[Record]:
        """Return the jobs in a state that is not final, the oldest first."""
        with self._reading():
            return self._records("WHERE state = ? ORDER BY seq", state)

    def queue(self) -> list[Waiting]:
        """Return what waits, the oldest first."""
        with self._reading():
            rows = self._db.execute(
                "SELECT id, caller FROM jobs WHERE state = 'queued' ORDER BY seq"
            )
            return [Waiting(*row) for row in rows]

    def head(self) -> str:
        """Return the hash of the last audit line."""
        with self._reading():
            return self._head()[1]

    def check(self) -> None:
        """Return when the state can be read, there is room for more and, if the last change could
        not be written, it can be written again. Raise StoreError."""
        self.head()
        self._see_room()
        if self._has_failed:
            with self._changing():
                self._db.execute(f"PRAGMA user_version = {schema.VERSION}")

    def lines(self, after: int, most: int) -> list[tuple[int, str]]:
        """Return at most so many audit lines after a number, each with its number."""
        with self._reading():
            asked = "SELECT seq, line FROM audit WHERE seq > ? ORDER BY seq LIMIT ?"
            return self._db.execute(asked, (after, most)).fetchall()

    def _comes_too_often(self, caller: str, now: str, hourly: int) -> bool:
        """Whether so many jobs of a caller were accepted within the last hour.

        So it is when the first of its newest so many was: the order is that of `seq`. A time
        from the future (the clock was set back) is recent, but no longer than until this has seen
        two hours pass: a clock that was wrong once must not shut a caller out until then.
        """
        if time.monotonic() - self._marked_at >= _HOUR.total_seconds():
            (last,) = self._db.execute("SELECT ifnull(max(seq), 0) FROM jobs").fetchone()
            self._before, self._mark, self._marked_at = self._mark, last, time.monotonic()
        asked = "SELECT created FROM jobs WHERE caller = ? AND seq > ? ORDER BY seq DESC LIMIT 1"
        found = self._db.execute(f"{asked} OFFSET {hourly - 1:d}", (caller, self._before))
        an_hour_ago = _written(datetime.fromisoformat(now) - _HOUR)
        return any(created > an_hour_ago for (created,) in found)

    def _see_room(self) -> None:
        try:
            lack = room.lack(self._folder)
        except OSError as error:
            raise StoreError(f"{self._folder}: cannot be looked at: {error.strerror}") from error
        if lack:
            raise StoreError(lack)

    def _move(self, record: Record, state: State) -> Record:
        if state not in NEXT[record.state]:
            raise ValueError(f"a job that is {record.state} cannot become {state}")
        moved = replace(record, state=state)
        self._db.execute(
            "UPDATE jobs SET state = ?, image = ?, started = ?, finished = ?, cancelling = ?,"
            " cancelled_by = ?, result = ? WHERE id = ?",
            (
                moved.state,
                moved.image,
                moved.started,
                moved.finished,
                moved.cancelling,
                moved.cancelled_by,
                records.result_text(moved.result),
                moved.id,
            ),
        )
        self._audit(moved)
        return moved

    def _audit(self, record: Record) -> None:
        seq, prev = self._head()
        line = chain.link(records.event(record), self._now(), seq + 1, prev)
        self._db.execute("INSERT INTO audit VALUES (?, ?, ?)", (line.seq, line.hash, line.text))

    def _head(self) -> tuple[int, str]:
        last = self._db.execute("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
        return last or (0, chain.GENESIS)

    def _one(self, job_id: str) -> Record:
        (record,) = self._records("WHERE id = ?", job_id)
        return record

    def _records(self, rest: str, *values: Any) -> list[Record]:
        rows = self._db.execute(f"SELECT {COLUMNS} FROM jobs {rest}", values)
        return [records.from_row(row) for row in rows]

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One transaction. It is taken back as a whole when anything in it fails."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
                self._has_failed = False
            finally:
                # Of a full disk SQLite takes it back itself.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
        except sqlite3.Error as error:
            self._has_failed = True
            raise StoreError(f"the state of jobs cannot be written: {error}") from error

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"the state of jobs cannot be read: {error}") from error
