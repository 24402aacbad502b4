"""Jobs that were asked for, a line each, and since when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from clup.jobs.ends import short

_AGO = re.compile(r"([0-9]{1,5})([mhd])", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class SinceError(ValueError):
    """A word that says no time."""


def begin(word: str, now: datetime) -> str:
    """Given 30m, 12h, 7d or a date with or without a time, return that time as jobs have theirs:
    UTC in ISO 8601, so that texts compare as times do. Raise SinceError."""
    if ago := _AGO.fullmatch(word):
        then = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    else:
        try:
            then = datetime.fromisoformat(word)
        except ValueError:
            cure = "write 30m, 12h, 7d, 2026-11-21 or 2026-11-21T09:30"
            raise SinceError(f"{word!r} is no time; {cure}") from None
    aware = then if then.tzinfo else then.replace(tzinfo=UTC)
    return aware.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def row(job: Mapping[str, Any]) -> str:
    """Given a job, return its line: when, which, what, whose, how it is, how long, why."""
    result = job["result"] or {}
    seconds = result.get("seconds")
    took = f"{seconds:.1f} s" if seconds is not None else ""
    given = " ".join(f"{name}={value}" for name, value in job["parameters"].items())
    words = [
        job["created"][:19] + "Z", short(job["id"]), f"{job['state']:<11}", f"{took:>9}",
        f"{job['caller']:<10}", job["job"], given, result.get("reason", ""),
    ]  # fmt: skip
    return "  ".join(filter(None, words)).rstrip()
