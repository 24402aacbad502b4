"""The power of a virtual machine fails in the middle of a run; the next run converges.

QEMU is killed: what the guest had not asked its disks to write is lost, what it had is there.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest

from clup import lab
from tests.faults.cuts import state, ways
from tests.faults.cuts.campaign import CAMPAIGN, SEED
from tests.faults.cuts.ways import Run
from tests.lab.command import on_machine
from tests.lab.machines import FURNISHED, machine

NAME = "power"
SITE = "inventories/lab.py"
DISKS = (lab.Disk("virtio-LABDATA", 128 << 20), lab.Disk("virtio-LABCACHE", 128 << 20))
STORAGE_CUTS, ACCOUNTS_CUTS, SITE_CUTS = (12, 8, 10) if CAMPAIGN else (4, 1, 3)
LIMIT_S = 3600 if CAMPAIGN else 1500
"""Seconds after which a test has failed: emulated machines are slow."""

BLANK = """
for name in data cache; do
  if mountpoint -q /srv/$name; then umount /srv/$name; fi
  rm -f /var/lib/clup/storage/$name.*
done
for disk in LABDATA LABCACHE; do blkdiscard -fz /dev/disk/by-id/virtio-$disk; done
udevadm settle
"""
NOBODY = """
for user in $(awk -F : '$3 >= 2000 && $3 < 60000 {print $1}' /etc/passwd); do
  loginctl disable-linger $user; loginctl terminate-user $user || true
  userdel -rf $user 2>/dev/null
done
"""
MAKING = "[ -e /var/lib/clup/storage/data.json ]"
HALF_MADE = "sed -s '$a\\' /var/lib/clup/storage/*.json 2>/dev/null || true"
UUIDS = "blkid -s UUID -o value /dev/disk/by-id/virtio-LABDATA /dev/disk/by-id/virtio-LABCACHE"
MOUNTED = "for each in /srv/data /srv/cache; do mountpoint -q $each && echo $each; done; true"
EMPTY = "find /etc /home /root /var/lib/clup -xdev -type f -empty | sort"
"""What the power leaves of a file whose data were not on the disk when its name was."""
WRITTEN = "clup|authorized_keys|/etc/(fstab|hosts|hostname|docker/daemon.json)$"
"""What clup writes itself: packages come with empty files, and do not sync all that they write."""

WITHOUT_DOCKER = "systemctl disable -q --now docker.socket docker.service containerd.service"
"""It takes a third of a boot, and storage and accounts have no use for it; the site enables it."""

Tally = Callable[[str, int], None]


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    """A machine that has what the roles would install, which takes minutes where it is emulated.

    Its image is that of test_vm.py.
    """
    with machine(NAME, DISKS, "vm", (*FURNISHED, "chrony")) as made:
        on_machine(made, WITHOUT_DOCKER)
        yield made


def test_the_power_fails_during_storage_operations(box: lab.Lab, tally: Tally) -> None:
    """Also while a filesystem is made. It is finished, and none is made twice."""
    chance = random.Random(SEED)
    run = Run(box, (SITE, "--role", "storage"), 3)
    cuts = formatting = 0
    end = time.monotonic() + LIMIT_S
    while cuts < STORAGE_CUTS:
        assert time.monotonic() < end, f"{cuts} cuts, {formatting} of them while formatting"
        on_machine(box, BLANK)
        ways.loses_its_power_when(run, MAKING)
        cuts += 1
        begun = making(box)
        formatting += bool(begun)
        for _ in power_cuts(run, chance, 3, STORAGE_CUTS - cuts):
            cuts += 1
            half_made = making(box)
            formatting += bool(half_made)
            begun |= half_made
        assert begun <= set(on_machine(box, UUIDS).split()), "what was begun is what is there"
        state.verifies(box, *run.arguments)
    assert formatting >= 1
    tally("power cut of a virtual machine during storage operations", cuts)
    tally("of these, in the middle of making a filesystem", formatting)


def making(box: lab.Lab) -> set[str]:
    """Return the UUIDs of the filesystems that are half made."""
    return {json.loads(each)["recipe"]["uuid"] for each in on_machine(box, HALF_MADE).splitlines()}


def test_the_power_fails_while_accounts_are_made(box: lab.Lab, tally: Tally) -> None:
    """No file of theirs is empty, no key is lost."""
    chance = random.Random(SEED)
    run = Run(box, (SITE, "--role", "accounts"), 2)
    cuts = 0
    end = time.monotonic() + LIMIT_S
    while cuts < ACCOUNTS_CUTS:
        assert time.monotonic() < end, f"{cuts} cuts"
        on_machine(box, NOBODY)
        cuts += sum(power_cuts(run, chance, 6, ACCOUNTS_CUTS - cuts))
    tally("power cut of a virtual machine while accounts are made", cuts)


def test_the_power_fails_anywhere_in_the_site(box: lab.Lab, tally: Tally) -> None:
    """On the machine as it is now, half converged; in a campaign on a bare one, apt's work too."""
    with machine("power-bare", DISKS, "vm") if CAMPAIGN else nullcontext(box) as there:
        chance = random.Random(SEED)
        assert CAMPAIGN or on_machine(there, MOUNTED).split() == ["/srv/data", "/srv/cache"]
        cuts = sum(power_cuts(Run(there, (SITE,), 3), chance, 6, SITE_CUTS, WRITTEN))
        state.verifies(there, SITE)
    assert cuts == SITE_CUTS
    tally("power cut of a virtual machine anywhere in the site", cuts)


def power_cuts(
    run: Run, chance: random.Random, most: int, number: int, written: str = "/"
) -> Iterator[bool]:
    """Cut one run after the other after `most` of its commands at most, until one has nothing
    left to do, or so many were cut; yield True after each. What was there stays, on disks of data
    that are mounted too, no file whose path matches `written` is empty, and in the end one run
    converges.
    """
    places = ("/root", "/opt", *on_machine(run.box, MOUNTED).split())
    before = state.planted(run.box, *places)
    empty = set(on_machine(run.box, EMPTY).splitlines())
    for _ in range(number):
        if not ways.loses_its_power(run, chance.randint(1, most), chance):
            break
        assert state.kept(run.box, *places) == before
        torn = set(on_machine(run.box, EMPTY).splitlines()) - empty
        torn = {path for path in torn if re.search(written, path)}
        assert not {path for path in torn if not path.startswith(state.MARKERS)}
        yield True
    state.converges(run.box, *run.arguments)
