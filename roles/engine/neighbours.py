"""What keeps other hosts of the network from ports that are published on this machine alone.

Before version 28 Docker rewrites a packet for 127.0.0.1 before the kernel would refuse it, from
whatever interface it comes; and it forwards what a neighbour routes to a container's own address.
Both need nothing but a route on the neighbour. These rules do what Docker 28 does by itself, in a
table of their own, which Docker's rules and those of others leave alone.
"""

from __future__ import annotations

from clup.operations.files import File
from roles.engine.settings import Settings

FOLDER = "/etc/clup"
RULES = f"{FOLDER}/docker-neighbours.nft"
UNIT = "clup-docker-neighbours.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
FAMILY, TABLE = "inet", "clup_docker_neighbours"

SAFE = 28
"""The first version of Docker that does it by itself."""

# Docker names a bridge br- and twelve hexadecimal digits of the network's id.
_BRIDGES = ("docker0", *(f"br-{digit:x}*" for digit in range(16)))

# As nft lists it: what is there can be compared with what is wanted.
_LOOPBACK = (
    "chain loopback {",
    "type filter hook prerouting priority raw; policy accept;",
    'iifname "lo" accept',
    "ip daddr 127.0.0.0/8 drop",
    "ip6 daddr ::1 drop",
    "}",
)
_CONTAINERS = (
    "chain containers {",
    "type filter hook forward priority filter; policy accept;",
    "ct state established,related accept",
    "ct status dnat accept",
    *(f'iifname "{bridge}" accept' for bridge in _BRIDGES),
    *(f'oifname "{bridge}" drop' for bridge in _BRIDGES),
    "}",
)
LINES = (f"table {FAMILY} {TABLE} {{", *_LOOPBACK, *_CONTAINERS, "}")

_UNIT = f"""[Unit]
Description=Keep neighbours from what Docker publishes on this machine alone
Before=docker.service
# Whoever loads rules anew may flush all of them; these come after.
After=nftables.service
PartOf=nftables.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f {RULES}

[Install]
WantedBy=multi-user.target docker.service nftables.service
"""


def closes(settings: Settings) -> bool:
    """Whether the rules are needed: not where the settings pin a Docker that needs none."""
    if settings.repository is None:
        return True
    version = settings.repository.versions["docker-ce"].partition(":")[2]
    major = version.partition(".")[0]
    return not (major.isdigit() and int(major) >= SAFE)


def rule_files() -> list[File]:
    """Return the rules, and the unit that loads them before Docker starts."""
    anew = f"table {FAMILY} {TABLE}\ndelete table {FAMILY} {TABLE}\n"
    return [File(RULES, anew + "\n".join(LINES) + "\n"), File(UNIT_FILE, _UNIT)]
