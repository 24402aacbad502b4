from __future__ import annotations

import itertools
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.audit.chain import GENESIS
from services.audit.verify import Seen, verify
from services.runner.records import Request, Result
from services.runner.states import State
from services.runner.store import KeyReusedError, QueueFullError, Store, StoreError, TooOftenError
from tests.unit.services.runner.runners import IMAGE

AUDIT = Request("audit", {"level": "high", "depth": 5}, "gateway", IMAGE)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    seconds = itertools.count()
    made = Store(tmp_path / "db", now=lambda: f"2026-01-31T12:00:{next(seconds):02d}.000Z")
    yield made
    made.close()


def accept(store: Store, request: Request = AUDIT) -> str:
    return store.accept(request, 10, 20, 99)[0].id


def test_from_the_queue_to_the_end(store: Store) -> None:
    job = accept(store)
    begun = store.begin(job, IMAGE)
    assert begun
    assert (begun.state, begun.started) == ("running", "2026-01-31T12:00:02.000Z")
    result = Result(exit_code=3, reason="it ended", artifacts_refused=("a",), usage={"x": 1.5})
    store.finish(job, "failed", result)
    found = store.get(job)
    assert found
    assert (found.state, found.result) == ("failed", result)
    assert found.parameters == {"level": "high", "depth": 5}


def test_no_job_runs_twice_or_ends_twice(store: Store) -> None:
    job = accept(store)
    assert store.begin(job, IMAGE)
    assert store.begin(job, IMAGE) is None
    assert store.finish(job, "succeeded", Result(exit_code=0))
    assert store.finish(job, "interrupted", Result()) is None
    assert store.begin(job, IMAGE) is None
    found = store.get(job)
    assert found
    assert found.state == "succeeded"


def test_a_state_that_cannot_follow_is_refused_and_nothing_is_written(store: Store) -> None:
    job = accept(store)
    with pytest.raises(ValueError, match="a job that is queued cannot become succeeded"):
        store.finish(job, "succeeded", Result())
    assert len(store.lines(0, 10)) == 1
    assert accept(store)


def test_cancelling(store: Store) -> None:
    waits, runs, ended = accept(store), accept(store), accept(store)
    store.begin(runs, IMAGE)
    store.begin(ended, IMAGE)
    store.finish(ended, "succeeded", Result(exit_code=0))
    assert store.cancel(waits, "gateway").state == "cancelled"
    assert store.begin(waits, IMAGE) is None
    told = store.cancel(runs, "gateway")
    assert (told.state, told.cancelling) == ("running", True)
    told = store.cancel(ended, "gateway")
    assert (told.state, told.cancelling) == ("succeeded", False)


def test_an_idempotency_key_gives_the_same_job(store: Store) -> None:
    keyed = Request("audit", {"depth": 5}, "gateway", IMAGE, key="k")
    first, is_new = store.accept(keyed, 10, 20, 99)
    assert is_new
    store.cancel(first.id, "gateway")
    again, is_new = store.accept(keyed, 10, 20, 99)
    assert (again.id, again.state, is_new) == (first.id, "cancelled", False)
    for other in (
        Request("audit", {"depth": 6}, "gateway", IMAGE, key="k"),
        Request("build", {"depth": 5}, "gateway", IMAGE, key="k"),
    ):
        with pytest.raises(KeyReusedError, match=first.id):
            store.accept(other, 10, 20, 99)
    others, is_new = store.accept(Request("audit", {"depth": 5}, "other", IMAGE, "k"), 10, 20, 99)
    assert (others.id != first.id, is_new) == (True, True)


def test_the_queue_is_bounded_for_each_and_for_all(store: Store) -> None:
    other = Request("audit", {}, "other", IMAGE)
    for _ in range(2):
        store.accept(AUDIT, 2, 3, 99)
    with pytest.raises(QueueFullError):
        store.accept(AUDIT, 2, 3, 99)
    job, _ = store.accept(other, 2, 3, 99)
    with pytest.raises(QueueFullError):
        store.accept(other, 2, 3, 99)
    store.begin(job.id, IMAGE)
    store.accept(other, 2, 3, 99)


# By what the clock says when jobs come, of which two an hour are accepted: which of them are.
OFTEN: dict[str, tuple[tuple[str, ...], str]] = {
    "within an hour": (("12:00", "12:30", "12:59"), "yyn"),
    "an hour later": (("12:00", "12:30", "13:00", "13:01", "13:30"), "yyyny"),
    "what was refused does not count": (("12:00", "12:01", "12:59", "12:59", "13:00"), "yynny"),
    "a clock that is set back": (("12:00", "12:01", "09:00", "10:00"), "yynn"),
    "a clock that is set ahead": (("12:00", "12:01", "15:00", "15:00", "15:00"), "yyyyn"),
    "one from the future": (("19:00", "12:00", "12:01", "12:59", "13:00"), "yynnn"),
}


def at(minute: str) -> Callable[[], str]:
    return lambda: f"2026-01-31T{minute}:00.000Z"


@pytest.mark.parametrize(("times", "accepted"), OFTEN.values(), ids=OFTEN)
def test_a_caller_has_so_many_jobs_accepted_within_an_hour(
    tmp_path: Path, times: tuple[str, ...], accepted: str
) -> None:
    """Though it cancels each at once. Another caller is not held up, nor by a new start."""
    came = ""
    for minute in times:
        store = Store(tmp_path / "db", now=at(minute))
        try:
            store.cancel(store.accept(AUDIT, 10, 20, 2)[0].id, "gateway")
            came += "y"
        except TooOftenError:
            came += "n"
        store.close()
    assert came == accepted
    store = Store(tmp_path / "db")
    store.accept(Request("audit", {}, "other", IMAGE), 10, 20, 2)
    store.close()


def test_a_clock_that_was_wrong_shuts_nobody_out_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    years = iter(["2036"] * 4)
    store = Store(tmp_path / "db", now=lambda: f"{next(years, '2026')}-01-31T12:00:00.000Z")
    store.accept(AUDIT, 10, 20, 1)
    began = time.monotonic()
    for hours, is_accepted in ((0.9, False), (1.1, False), (2.0, False), (2.2, True), (2.3, False)):
        monkeypatch.setattr("time.monotonic", lambda hours=hours: began + hours * 3600)
        try:
            store.accept(AUDIT, 10, 20, 1)
            assert is_accepted, hours
        except TooOftenError:
            assert not is_accepted, hours
    store.close()


def test_a_disk_that_is_nearly_full_takes_no_job_but_the_end_of_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = accept(store)
    lack = "/srv: 1.0 MB are free"
    monkeypatch.setattr("services.runner.room.lack", lambda _: lack)
    with pytest.raises(StoreError, match=lack):
        accept(store)
    with pytest.raises(StoreError, match=lack):
        store.check()
    assert store.begin(job, IMAGE)
    assert store.finish(job, "succeeded", Result(exit_code=0))
    lack = ""
    store.check()
    accept(store)


def test_listing(store: Store) -> None:
    ids = [accept(store) for _ in range(5)]
    store.begin(ids[1], IMAGE)
    assert [each.id for each in store.listing(limit=2)] == [ids[4], ids[3]]
    assert [each.id for each in store.listing(before=3)] == [ids[1], ids[0]]
    assert [each.id for each in store.listing(caller="gateway", state="running")] == [ids[1]]
    assert store.listing(caller="other") == store.listing(job="build") == []
    assert [each.id for each in store.queue()] == [ids[0], *ids[2:]]


def test_each_state_has_its_audit_line(store: Store) -> None:
    job = accept(store)
    assert (store.head() != GENESIS, len(store.lines(0, 9))) == (True, 1)
    seen = Seen(store.head(), job)
    store.begin(job, IMAGE)
    store.finish(job, "succeeded", Result(exit_code=0))
    content = "".join(f"{line}\n" for _, line in store.lines(0, 9)).encode()
    verdict = verify([("0", content)], [seen])
    assert (verdict.findings, verdict.lines, verdict.head) == ((), 3, store.head())
    assert b'"parameters":{"depth":5,"level":"high"}' in content
    assert [seq for seq, _ in store.lines(1, 1)] == [2]


def last_line(store: Store) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(store.lines(0, 99)[-1][1])
    return said


def test_the_end_of_a_job_names_who_asked_for_it_first(store: Store) -> None:
    waits, runs, done, unasked = (accept(store) for _ in range(4))
    store.cancel(waits, "operator")
    said = last_line(store)
    assert (said["caller"], said["cancelled_by"]) == ("gateway", "operator")
    ends: tuple[tuple[str, State], ...] = ((runs, "interrupted"), (done, "succeeded"))
    for job, state in ends:
        store.begin(job, IMAGE)
        store.cancel(job, "operator")
        store.cancel(job, "other")
        store.finish(job, state, Result())
        store.cancel(job, "other")
        said = last_line(store)
        assert (said["state"], said["cancelled_by"]) == (state, "operator")
    store.begin(unasked, IMAGE)
    store.finish(unasked, "succeeded", Result(exit_code=0))
    assert "cancelled_by" not in last_line(store)


def test_the_state_of_an_earlier_runner_is_taken_over(tmp_path: Path) -> None:
    """And a runner of before takes it back: its statements name no column that is new."""
    store = Store(tmp_path / "db")
    waits, runs = accept(store), accept(store)
    store.begin(runs, IMAGE)
    store.close()
    db = sqlite3.connect(tmp_path / "db")
    db.execute("ALTER TABLE jobs DROP COLUMN cancelled_by")
    db.execute("UPDATE jobs SET cancelling = 1 WHERE id = ?", (runs,))
    db.commit()
    db.close()
    store = Store(tmp_path / "db")
    store.finish(runs, "cancelled", Result(exit_code=143))
    assert "cancelled_by" not in last_line(store)
    store.cancel(waits, "operator")
    assert last_line(store)["cancelled_by"] == "operator"
    content = "".join(f"{line}\n" for _, line in store.lines(0, 9)).encode()
    assert (verify([("0", content)]).findings, verify([("0", content)]).lines) == ((), 5)
    store.close()
    db = sqlite3.connect(tmp_path / "db")
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()


def test_a_full_disk_takes_a_change_back_as_a_whole(store: Store, tmp_path: Path) -> None:
    job = accept(store)
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="the state of jobs cannot be written: database or disk"):
        all(accept(store) for _ in range(1000))
    accepted, lines = len(store.listing(limit=200)), len(store.lines(0, 2000))
    assert accepted == lines
    store._db.execute("PRAGMA max_page_count = 10000")
    assert store.begin(job, IMAGE)


KILLED = """
import os, signal, sys
from pathlib import Path
from services.runner.records import Request
from services.runner.store import Store
store = Store(Path(sys.argv[1]))
for _ in range(20):
    record, _ = store.accept(Request("audit", {}, "gateway", "x"), 99, 99, 99)
    print(record.id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_accepted_is_there_after_a_kill(tmp_path: Path) -> None:
    words = [sys.executable, "-c", KILLED, str(tmp_path / "db")]
    killed = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    store = Store(tmp_path / "db")
    assert [each.id for each in store.queue()] == killed.stdout.split()
    store.close()


def test_a_newer_store_is_left_alone(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "db")
    db.execute("PRAGMA user_version = 2")
    db.close()
    with pytest.raises(StoreError, match="written by a newer runner"):
        Store(tmp_path / "db")
