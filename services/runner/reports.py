"""The folders of jobs: what is kept of each when it has ended, for people and for callers."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from services.jobs import names
from services.runner.artifacts import FOLDER
from services.runner.durable import sync_folder
from services.runner.records import Record
from services.runner.spool import LOG, STREAMS

log = logging.getLogger(__name__)

_REPORT = "report.json"


class Reports:
    """A folder with a folder for each job: `log`, `artifacts`, `report.json`."""

    def __init__(self, root: Path, tmp: Path):
        self._root = root
        self._tmp = tmp

    def folder(self, job_id: str) -> Path:
        """Return a job's folder, which may not be there."""
        if not names.is_id(job_id):
            raise ValueError(f"{job_id!r} is no job's id")
        return self._root / job_id

    def make(self, job_id: str) -> None:
        """Make a job's folder, unless it is there. Raise OSError."""
        self.folder(job_id).mkdir(mode=0o750, exist_ok=True)

    def artifacts(self, job_id: str) -> Path:
        """Return the folder of a job's artifacts, which may not be there."""
        return self.folder(job_id) / FOLDER

    def archive(self, job_id: str) -> Path:
        """Return where a job's artifacts lie as an archive while they are taken out of it."""
        return self._tmp / f"{self.folder(job_id).name}.tar"

    def sketch(self, job_id: str) -> Path:
        """Return where a job's artifacts are gathered, before they get their name."""
        return self.folder(job_id) / f".{FOLDER}"

    def keep_artifacts(self, job_id: str) -> None:
        """Give a job's artifacts their name, for good: whatever is cut off later, they are there.
        Raise OSError, and then they have it not."""
        self.sketch(job_id).rename(self.artifacts(job_id))
        try:
            sync_folder(self.folder(job_id))
            sync_folder(self._root)
        except OSError:
            self.artifacts(job_id).rename(self.sketch(job_id))
            raise

    def log_sketch(self, job_id: str) -> Path:
        """Return the folder in which a job's log is written anew, before it gets its name."""
        return self.folder(job_id) / f".{LOG}"

    def keep_log(self, job_id: str) -> bool:
        """Put a job's log that was written anew in the place of the one that is there, unless it is
        shorter; return whether it was put there. Raise OSError."""
        folder, sketch = self.folder(job_id), self.log_sketch(job_id)
        there = folder / LOG
        if there.exists() and there.stat().st_size > (sketch / LOG).stat().st_size:
            return False
        # In this order: what the new streams say of a place holds for the shorter log, too.
        for name in (STREAMS, LOG):
            (sketch / name).rename(folder / name)
        sync_folder(folder)
        return True

    def write(self, record: Record) -> None:
        """Write down how a job ended, beside its log, for good. Raise OSError."""
        folder = self.folder(record.id)
        self.make(record.id)
        draft = folder / f".{_REPORT}"
        with draft.open("w", encoding="utf-8") as file:
            draft.chmod(0o640)
            file.write(json.dumps(asdict(record), indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        draft.rename(folder / _REPORT)
        sync_folder(folder)
        sync_folder(self._root)

    def write_missing(self, records: Iterable[Record]) -> None:
        """Given jobs that have ended, write down how, where a cut of the power or a full disk has
        kept the report from being written. Without a folder it was removed, or a job was never
        begun, and there it stays. Raise OSError."""
        for record in records:
            report = self.folder(record.id) / _REPORT
            if report.parent.is_dir() and not (report.exists() and report.stat().st_size):
                log.info("job %s: its report is written again", record.id)
                self.write(record)

    def discard(self, job_id: str) -> None:
        """Remove what was under way for a job."""
        self.archive(job_id).unlink(missing_ok=True)
        for sketch in (self.sketch(job_id), self.log_sketch(job_id)):
            shutil.rmtree(sketch, ignore_errors=True)
