"""What Prometheus is told. Nothing in it is a caller's word: names come from files of root."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The runner's figures, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.accepted = Counter(
            "runner_jobs_accepted",
            "Jobs that were queued.",
            ["job", "caller"],
            registry=self.registry,
        )
        self.ended = Counter(
            "runner_jobs_ended",
            "Jobs that ended, by their state.",
            ["job", "state"],
            registry=self.registry,
        )
        self.refused = Counter(
            "runner_requests_refused",
            "Requests that were refused, by their code.",
            ["code"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "runner_job_seconds",
            "How long jobs ran.",
            ["job"],
            registry=self.registry,
            buckets=(0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400),
        )
        self.running = Gauge("runner_jobs_running", "Jobs that run.", registry=self.registry)
        self.queued = Gauge("runner_jobs_queued", "Jobs that wait.", registry=self.registry)
        self.followers = Gauge(
            "runner_followers", "Requests that wait or follow.", registry=self.registry
        )
        self.guard_up = Gauge(
            "runner_guard_up", "1 while guard and Docker answer.", registry=self.registry
        )
        self.problems = Gauge(
            "runner_problems", "Things that are wrong; /healthz says which.", registry=self.registry
        )
        self.exported = Gauge(
            "runner_audit_exported",
            "Number of the last exported audit line.",
            registry=self.registry,
        )

    def text(self) -> bytes:
        """Return the figures as Prometheus reads them."""
        return generate_latest(self.registry)
