"""Who may reach a container from outside."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from clup.compose.problem import shown
from clup.compose.rule import Fault, Rule
from clup.compose.service import Port, Service

ALLOWED = tuple(
    map(
        ipaddress.ip_network,
        ("127.0.0.1/32", "::1/128", "100.64.0.0/10", "fd7a:115c:a1e0::/48"),
    )
)
"""Loopback, and what Tailscale gives its machines."""


def _ports(service: Service) -> Iterator[Fault]:
    cure = "publish it on 127.0.0.1 or on the machine's tailnet address"
    for at in service.ports:
        if not at.value.address:
            yield Fault(at.path, _words(at.value), "is published on every address", cure)
        elif not _is_allowed(at.value.address):
            reason = "is published where others than the tailnet reach it"
            yield Fault(at.path, _words(at.value), reason, cure)


def _words(port: Port) -> str:
    # Docker says the protocol also where it is the usual one.
    words = (port.address, port.published, port.target.removesuffix("/tcp"))
    return shown(":".join(each for each in words if each))


def _is_allowed(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in ALLOWED if network.version == found.version)


RULES = (
    Rule(
        "published-ports",
        "Ports are published on 127.0.0.1 or on a tailnet address only",
        "Docker's firewall rules come before the host's own: a port without an address is open to"
        " every network that the machine is on.",
        "CIS Docker Benchmark 1.6.0, 5.14; seed 003, section 5.4; design rule 6",
        _ports,
    ),
)
