"""What a neighbour on the same network reaches of a machine's containers.

The tests run in the order in which they stand: each begins where the one before it ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from clup import lab
from tests.lab import engine_machine, machines
from tests.lab.command import on_machine

TABLE = "inet clup_docker_neighbours"
ADDRESS = 'ip -4 -o addr show eth0 | awk \'{ sub("/.*", "", $4); print $4 }\''
SERVE = """
docker run -d --name own -p 127.0.0.1:18080:8080 hello httpd -f -p 8080
docker run -d --name open -p 18081:8080 hello httpd -f -p 8080
docker run -d --name shut hello httpd -f -p 8080
for name in own shut; do
  docker inspect -f '{{.NetworkSettings.IPAddress}}' $name
done
"""

# The neighbour sends what it has for 127.0.0.1 to the machine instead, and takes the answers, which
# it would not from an address of its own; it also knows the way to the machine's containers.
ROUTES = """
sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.eth0.route_localnet=1
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
ip addr del 127.0.0.1/8 dev lo
ip route add 127.0.0.1/32 via {machine} dev eth0 src {own}
ip route add {containers}/16 via {machine} dev eth0
"""


@dataclass(frozen=True)
class Scene:
    """The machine, its neighbour, and the addresses of the machine and two of its containers."""

    machine: lab.Lab
    neighbour: lab.Lab
    address: str
    own: str
    shut: str

    def reached(self) -> set[str]:
        """Return which doors open to the neighbour."""
        doors = {
            "loopback": ("127.0.0.1", 18080),
            "published": (self.address, 18081),
            "container": (self.own, 8080),
            "unpublished": (self.shut, 8080),
        }
        tries = "".join(
            f"timeout 2 bash -c '</dev/tcp/{address}/{port}' 2>/dev/null && echo {door};"
            for door, (address, port) in doors.items()
        )
        return set(on_machine(self.neighbour, f"{tries} true").split())


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with engine_machine.machine("neighbours") as box, machines.machine("neighbour") as other:
        applied = engine_machine.run(box, "apply", {})
        assert applied.exit == 0, applied.stderr
        on_machine(box, engine_machine.IMAGE)
        own, shut = on_machine(box, SERVE).split()[-2:]
        address = on_machine(box, ADDRESS).strip()
        mine = on_machine(other, ADDRESS).strip()
        containers = ".".join([*own.split(".")[:2], "0", "0"])
        on_machine(other, ROUTES.format(machine=address, own=mine, containers=containers))
        yield Scene(box, other, address, own, shut)


def test_without_the_rules_a_neighbour_reaches_what_is_for_the_machine_alone(scene: Scene) -> None:
    on_machine(scene.machine, f"nft delete table {TABLE}")
    assert {"loopback", "published", "container"} <= scene.reached()
    failed = engine_machine.run(scene.machine, "verify", {}).checks("failed")
    assert any("neighbours do not reach" in line for line in failed)


def test_with_them_it_reaches_only_what_is_published_to_it(scene: Scene) -> None:
    applied = engine_machine.run(scene.machine, "apply", {})
    assert applied.exit == 0, applied.stderr
    assert scene.reached() == {"published"}
    assert engine_machine.run(scene.machine, "verify", {}).checks("failed") == []


def test_the_machine_and_its_containers_go_on_as_before(scene: Scene) -> None:
    on_machine(
        scene.machine,
        f"""
        timeout 5 bash -c '</dev/tcp/127.0.0.1/18080'
        timeout 5 bash -c '</dev/tcp/{scene.address}/18081'
        timeout 5 bash -c '</dev/tcp/{scene.shut}/8080'
        docker exec own /bin/busybox nc -w 5 {scene.shut} 8080 </dev/null
        docker exec own /bin/busybox nc -w 5 {scene.address} 18081 </dev/null
        """,
    )


def test_the_rules_are_there_again_after_docker_the_rules_and_the_machine_restart(
    scene: Scene,
) -> None:
    on_machine(scene.machine, "systemctl restart docker")
    assert scene.reached() == {"published"}
    # Debian's own unit flushes every table; Docker's are Docker's to make anew.
    on_machine(scene.machine, "systemctl restart nftables; systemctl restart docker")
    assert scene.reached() == {"published"}
