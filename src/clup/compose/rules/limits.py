"""What a container may take, and what happens when it fails."""

from __future__ import annotations

from collections.abc import Iterator

from clup.compose.problem import shown
from clup.compose.rule import Fault, Rule
from clup.compose.service import At, Service

_CIS = "CIS Docker Benchmark 1.6.0"

_POLICIES = ("always", "unless-stopped", "on-failure")


def _memory(service: Service) -> Iterator[Fault]:
    yield from _limited(service.memory, "set mem_limit, such as 256m")
    if service.swap.value is not None and service.swap.value < 0:
        cure = "remove it: then swap is as large as the memory"
        yield Fault(service.swap.path, shown(service.swap.value), "lets it swap without end", cure)


def _cpus(service: Service) -> Iterator[Fault]:
    yield from _limited(service.cpus, "set cpus, such as 0.5")


def _pids(service: Service) -> Iterator[Fault]:
    yield from _limited(service.pids, "set pids_limit, such as 200")


def _limited(at: At[float | None], cure: str) -> Iterator[Fault]:
    if at.value is None:
        yield Fault(at.path, "", "is missing or no amount", cure)
    elif not at.value > 0:
        yield Fault(at.path, shown(at.value), "means without a limit", cure)


def _log(service: Service) -> Iterator[Fault]:
    log, path = service.log.value, service.log.path
    cure = "set driver: json-file with options max-size and max-file, or driver: local"
    if not log.driver:
        yield Fault(path, "", "is missing", cure)
    elif log.driver not in ("json-file", "local"):
        yield Fault(path, shown(log.driver), "keeps its output where Docker sets no limit", cure)
    elif log.driver == "json-file" and not (log.size or 0) > 0:
        yield Fault(path, shown(log.driver), "has no max-size, or one without a limit", cure)


def _health(service: Service) -> Iterator[Fault]:
    if not service.health.value:
        cure = "write healthcheck: with a test that asks the service itself"
        yield Fault(service.health.path, "", "has no test that runs", cure)


def _restart(service: Service) -> Iterator[Fault]:
    at = service.restart
    if at.value.partition(":")[0] not in _POLICIES:
        value = shown(at.value) if at.value else ""
        reason = "leaves it down after a failure or a boot"
        yield Fault(at.path, value, reason, "write restart: unless-stopped")


RULES = (
    Rule(
        "memory-limit",
        "Memory is limited, and swap with it",
        "Without a limit one container makes the kernel kill others, or the whole machine crawl.",
        f"{_CIS}, 5.11",
        _memory,
    ),
    Rule(
        "cpu-limit",
        "Processor time is limited",
        "One busy loop would take every core from gateways and bots.",
        f"{_CIS}, 5.12",
        _cpus,
    ),
    Rule(
        "pids-limit",
        "The number of processes is limited",
        "A fork bomb in a container fills the host's process table.",
        f"{_CIS}, 5.29",
        _pids,
    ),
    Rule(
        "log-limit",
        "The log is limited in size",
        "100 MB of short lines became 540 MB of log; with a limit, 6 MB.",
        "trap 8",
        _log,
    ),
    Rule(
        "health-check",
        "A service has a health check",
        "What is only up may serve nothing; `apply` waits until it is healthy.",
        f"{_CIS}, 4.6 and 5.27; traps 1 and 6",
        _health,
        kinds=("service",),
    ),
    Rule(
        "restart-policy",
        "A service is started again after a failure and at boot",
        "Without a policy it stays down, and nobody is told.",
        "seed 003, section 5.6; trap 9",
        _restart,
        kinds=("service",),
    ),
)
