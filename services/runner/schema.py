"""The tables of the state of jobs, and how those of an earlier runner become them."""

from __future__ import annotations

import sqlite3

VERSION = 1

_TABLES = f"""
BEGIN;
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL,
    caller TEXT NOT NULL,
    parameters TEXT NOT NULL,
    image TEXT NOT NULL,
    state TEXT NOT NULL,
    created TEXT NOT NULL,
    started TEXT NOT NULL DEFAULT '',
    finished TEXT NOT NULL DEFAULT '',
    cancelling INTEGER NOT NULL DEFAULT 0,
    result TEXT NOT NULL DEFAULT '{{}}',
    idempotency_key TEXT,
    UNIQUE (caller, idempotency_key)
) STRICT;
CREATE INDEX by_state ON jobs (state, seq);
CREATE INDEX by_caller ON jobs (caller, seq);
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    line TEXT NOT NULL
) STRICT;
PRAGMA user_version = {VERSION};
COMMIT;
"""

# Columns that came later. A runner that does not know one names it nowhere, and its default stands:
# an earlier runner still takes the tables, so that the version stays.
_LATER = {"cancelled_by": "TEXT NOT NULL DEFAULT ''"}


def prepare(db: sqlite3.Connection) -> int:
    """Make the tables, or give those of an earlier runner what they lack. Return the version that
    was found: 0 of an empty database; one that is neither 0 nor VERSION is left as it is.

    Raise sqlite3.Error.
    """
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version == 0:
        db.executescript(_TABLES)
    if version in (0, VERSION):
        known = {row[1] for row in db.execute("PRAGMA table_info(jobs)")}
        for name, kind in _LATER.items():
            if name not in known:
                db.execute(f"ALTER TABLE jobs ADD COLUMN {name} {kind}")
    return version
