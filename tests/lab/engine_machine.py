"""A lab machine for the tests of the engine alone: its cache disk is mounted, nothing else is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from clup import lab
from tests.lab import machines
from tests.lab.command import Answer, on_machine

_MOUNT = """
mkdir -p /srv/cache
mkfs.ext4 -q -L CLAW_CACHE /dev/disk/by-id/virtio-LABCACHE
mount LABEL=CLAW_CACHE /srv/cache
"""

# An image from nothing but one static program, which no registry is needed for; a bare machine has
# to fetch it.
IMAGE = """
cd /root
if [ ! -e /bin/busybox ]; then
  apt-get -qq -o APT::Sandbox::User=root download busybox-static >/dev/null
  dpkg-deb -x busybox-static_*.deb tree
fi
mkdir -p image/bin
cp "$(find tree /bin/busybox -path "*/bin/busybox" 2>/dev/null | head -n 1)" image/bin/
tar -C image -c . | docker import -c 'ENTRYPOINT ["/bin/busybox"]' - hello >/dev/null
"""
HELLO = f"""{IMAGE}
docker run --rm hello echo hello from a container
docker volume create bots >/dev/null
docker run -d --name bot -v bots:/data hello sleep 100000 >/dev/null
docker exec bot /bin/busybox sh -c 'echo kept >/data/state'
"""


@contextmanager
def machine(name: str, packages: tuple[str, ...] = machines.FURNISHED) -> Iterator[lab.Lab]:
    """Given a name, lend a new lab machine of that name whose cache disk is mounted."""
    with machines.machine(name, packages=packages) as box:
        on_machine(box, _MOUNT)
        yield box


def run(box: lab.Lab, command: str, engine: Mapping[str, Any]) -> Answer:
    """Run a clup command for the role engine alone, with these settings of it."""
    return machines.run(box, command, "engine", engine)
