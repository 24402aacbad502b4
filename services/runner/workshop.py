"""What all parts of the runner work with."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.jobs import Catalogue
from services.runner.callers import Callers
from services.runner.changes import Changes
from services.runner.desk import Desk
from services.runner.export import Exporter
from services.runner.guard import Guard
from services.runner.metrics import Metrics
from services.runner.reports import Reports
from services.runner.settings import Settings


@dataclass
class Workshop:
    """One of each, for as long as the runner lives."""

    settings: Settings
    desk: Desk
    guard: Guard
    catalogue: Catalogue
    callers: Callers
    reports: Reports
    exporter: Exporter
    metrics: Metrics
    changes: Changes = field(default_factory=Changes)

    def told(self, job_id: str) -> None:
        """A job has changed: wake whoever waits for it, and export its audit line."""
        self.changes.tell(job_id)
        self.exporter.wake()
