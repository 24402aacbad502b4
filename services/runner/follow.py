"""A job's output as server-sent events, from any place of it to its end.

    id: 4711                              the place after it, for Last-Event-ID
    event: output
    data: {"stream": "stdout", "text": "..."}      or "base64" for what is no UTF-8

    event: truncated                      there was more, or may have been: it is not kept
    event: end                            with the job's state, exit code and reason

What is sent is read from disk when the reader takes it, a piece at a time: a slow reader costs one
piece of memory, and gets every byte.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

from services.runner import spool
from services.runner.multiplex import STDERR
from services.runner.records import Record
from services.runner.spool import Piece
from services.runner.states import is_final
from services.runner.store import Store
from services.runner.workshop import Workshop

PIECE = 32 * 1024
_HEARTBEAT_SECONDS = 15.0


def sent_event(name: str, data: dict[str, Any], place: int | None = None) -> str:
    """Return an event as it is sent."""
    head = "" if place is None else f"id: {place}\n"
    return f"{head}event: {name}\ndata: {json.dumps(data)}\n\n"


def output_event(piece: Piece) -> str:
    """Given some output, return its event: as text, or as base64 where it is none."""
    data: dict[str, Any] = {"stream": "stderr" if piece.stream == STDERR else "stdout"}
    try:
        data["text"] = piece.data.decode()
    except UnicodeDecodeError:
        data["base64"] = base64.b64encode(piece.data).decode()
    return sent_event("output", data, piece.end)


def end_events(record: Record, place: int) -> str:
    """Given a job that has ended, return the last events of its output."""
    result = record.result
    end = {"state": record.state, "exit_code": result.exit_code, "reason": result.reason}
    truncated = {"bytes": result.log_bytes} if result.log_truncated else None
    events = sent_event("truncated", truncated, place) if truncated else ""
    return events + sent_event("end", end, place)


def place_after(last_event_id: str | None) -> int:
    """Given the header Last-Event-ID, return the place from which to go on."""
    known = last_event_id is not None and last_event_id.isascii() and last_event_id.isdecimal()
    return int(last_event_id[:15]) if known and last_event_id is not None else 0


async def follow(shop: Workshop, job_id: str, place: int) -> AsyncIterator[str]:
    """Yield the events of a job's output from a place on, until the job has ended."""
    folder = shop.reports.folder(job_id)
    with shop.changes.watching(job_id) as watch:
        while True:
            record = await shop.desk(Store.get, job_id)
            while (piece := await _read(folder, place)) is not None:
                place = piece.end
                yield output_event(piece)
            if record is None or is_final(record.state):
                break
            if not await watch.changed(_HEARTBEAT_SECONDS):
                yield ": still there\n\n"
        if record is not None:
            yield end_events(record, place)


async def _read(folder: Any, place: int) -> Piece | None:
    try:
        return await asyncio.to_thread(spool.read, folder, place, PIECE)
    except FileNotFoundError:
        return None
