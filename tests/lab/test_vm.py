"""One virtual machine's life: bare, converged, booted, robbed of its power and of its disk, and of
its power and of the right time while it runs jobs.

What a container cannot show: a kernel of its own, udev, mounts by systemd at boot, the clock. The
tests run in the order in which they stand: each begins where the one before it ended.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping

import pytest

from clup import lab
from clup.lab import vm
from tests.faults.cuts import state
from tests.faults.cuts.campaign import CAMPAIGN, SEED
from tests.faults.cuts.jobs import begin_some, settled
from tests.faults.runs import only_line
from tests.lab.command import Answer, clup, on_machine
from tests.lab.fingerprint import fingerprint
from tests.lab.machines import DISKS, FURNISHED, machine
from tests.lab.runner_machine import put_in_place, wait_for_health
from tests.lab.sshd import locked_out_and_back, logs_in

NAME = "vm"
SITE = "inventories/lab.py"
CLOCK_SECONDS = 120
"""How long chrony may take after a boot until it believes a source of time."""
CUTS = 10 if CAMPAIGN else 1
"""How often the power fails while jobs run."""
JUMPS = ("1 day", "2 days ago")
"""Where the clock jumps while jobs run."""
JOURNAL = "/etc/systemd/journald.conf.d/50-clup.conf"
FILLS = f"""
echo '# by hand' >>{JOURNAL}
cat >/usr/local/bin/base64 <<'END'
#!/bin/sh
if [ ! -e /fill ]; then
  fallocate -l $(($(stat -f -c '(%f - 5000) * %S' /))) /fill
  cat /dev/zero >/fill.rest 2>/dev/null
fi
exec /usr/bin/base64 "$@"
END
chmod 0755 /usr/local/bin/base64
"""
"""Has the root disk full once clup has seen that there is room, before it writes a file."""
SETTLED_SECONDS = 300
"""How long guard, runner and jobs may take on an emulated machine until all is as it must be."""


@pytest.fixture(scope="module")
def box() -> Iterator[lab.Lab]:
    with machine(NAME, DISKS, "vm", (*FURNISHED, "chrony")) as made:
        yield made
    assert vm.pid_of(made.folder) is None, "a machine must not outlive its lab"
    assert not made.folder.exists()


@pytest.fixture(scope="module")
def accepted() -> list[str]:
    """Return the ids of all jobs that the machine's runner accepted."""
    return []


def verified(box: lab.Lab) -> Answer:
    """Verify the site once the clock runs, of which a check could not say anything before."""
    waits = "until chronyc -c tracking | grep -q Normal; do sleep 1; done"
    on_machine(box, f"timeout {CLOCK_SECONDS} sh -c '{waits}'")
    return clup(NAME, "verify", SITE)


def boot_id(box: lab.Lab) -> str:
    """Return what differs from boot to boot."""
    return on_machine(box, "cat /proc/sys/kernel/random/boot_id")


def test_it_is_a_bare_machine_with_blank_disks_and_a_udev(box: lab.Lab) -> None:
    said = on_machine(
        box,
        """
        hostname; systemctl is-system-running; systemd-detect-virt --vm > /dev/null && echo virtual
        for disk in DATA CACHE; do
            device=/dev/disk/by-id/virtio-LAB$disk
            udevadm info --query=property --property=ID_SERIAL --value $device
            blkid $device || echo blank
        done
        """,
    )
    assert said.split() == f"lab-{NAME} running virtual LABDATA blank LABCACHE blank".split()


def test_disks_come_and_go_while_it_runs(box: lab.Lab) -> None:
    spare = "/dev/disk/by-id/virtio-SPARE"
    assert clup(NAME, "lab", "disk", "add", "--name", NAME, "virtio-SPARE=64M").exit == 0
    on_machine(box, f"test $(blockdev --getsize64 {spare}) = {64 << 20}; echo kept > {spare}; sync")
    assert clup(NAME, "lab", "disk", "detach", "--name", NAME, "virtio-SPARE").exit == 0
    on_machine(box, f"udevadm settle; test ! -e {spare}; test ! -e /sys/block/vdd")
    assert box.disk_file("virtio-SPARE").read_bytes().startswith(b"kept\n")
    lab.disk_add(NAME, "virtio-SPARE", read_only=True)
    assert (
        on_machine(box, f"head -n 1 {spare}; ! echo lost 2>&- > {spare}; blockdev --getro {spare}")
        == "kept\n1\n"
    )
    lab.disk_detach(NAME, "virtio-SPARE")


def test_from_bare_apply_changes_what_plan_listed(box: lab.Lab) -> None:
    planned = clup(NAME, "plan", SITE)
    applied = clup(NAME, "apply", SITE)
    assert applied.exit == 0, applied.stderr
    listed, changed = planned.operations("would change"), applied.operations("changed")
    assert changed == listed
    assert {"base: Tell chrony whom to ask for the time", "base: Set the kernel"} <= changed


def test_the_result_verifies_and_nothing_is_untestable(box: lab.Lab) -> None:
    answer = verified(box)
    assert answer.checks("failed") == []
    assert answer.checks("untestable") == []
    assert answer.exit == 0


def test_a_root_disk_that_fills_up_on_the_way(box: lab.Lab) -> None:
    before = state.planted(box, "/root", "/srv/data")
    on_machine(box, FILLS)
    journal = on_machine(box, f"cat {JOURNAL}")
    try:
        line = only_line(clup(NAME, "apply", SITE), f"lab-{NAME}")
        assert on_machine(box, f"stat -f -c %a /; cat {JOURNAL}") == f"0\n{journal}"
    finally:
        on_machine(box, "rm -f /fill /fill.rest /usr/local/bin/base64")
    assert line.startswith(f"lab-{NAME}: base: Limit the journal: ")
    assert "No space left on device" in line
    assert line.endswith(f"{JOURNAL} is as it was; mend that, then apply again")
    assert clup(NAME, "apply", SITE).exit == 0
    assert state.owed(box) == ""
    assert state.kept(box, "/root", "/srv/data") == before


def test_a_second_apply_changes_nothing(box: lab.Lab) -> None:
    before = fingerprint(box)
    applied = clup(NAME, "apply", SITE)
    assert (applied.exit, applied.operations("changed")) == (0, set())
    assert sorted(set(fingerprint(box)) ^ set(before)) == []


def test_a_power_cut_loses_what_was_not_on_the_disks_and_nothing_else(box: lab.Lab) -> None:
    """When its power is back, one of its disks is not."""
    on_machine(box, "cd /srv/data; echo kept > kept; sync kept .; echo lost > lost")
    assert clup(NAME, "lab", "cut", "--name", NAME).exit == 0
    assert vm.pid_of(box.folder) is None
    lab.disk_detach(NAME, "virtio-LABCACHE")
    lab.up(NAME)
    assert (
        on_machine(box, "cd /srv/data; cat kept; cat lost 2>&- || true; rm -f kept lost")
        == "kept\n"
    )


def test_without_its_cache_disk_it_boots_and_says_so(box: lab.Lab) -> None:
    assert logs_in(box)
    assert on_machine(
        box,
        "systemctl is-active docker containerd || true; findmnt /srv/data > /dev/null && echo data",
    ).split() == ["inactive", "inactive", "data"]
    answer = clup(NAME, "verify", SITE)
    assert answer.exit == 2
    failed = answer.checks("failed")
    told = "\n".join(failed)
    assert "the disk of by_id 'virtio-LABCACHE' is not in /dev/disk/by-id" in told
    assert "engine: docker.service runs: found 'inactive'" in told
    lost = ("storage: cache: ", "engine: ", "layout: /srv/cache/")
    assert [line for line in failed if not line.startswith(lost)] == []


def test_with_the_disk_back_all_is_well_after_a_reboot(box: lab.Lab) -> None:
    on_machine(box, '! touch /srv/cache/stray 2>&-; test -z "$(ls -A /srv/cache)"')
    lab.disk_add(NAME, "virtio-LABCACHE")
    # So that it is a machine in use that shuts down.
    on_machine(box, "udevadm settle; systemctl start srv-cache.mount docker")
    before = boot_id(box)
    assert clup(NAME, "lab", "reboot", "--name", NAME).exit == 0
    assert boot_id(box) != before
    answer = verified(box)
    assert (answer.exit, answer.checks("failed"), answer.checks("untestable")) == (0, [], [])
    assert clup(NAME, "plan", SITE).exit == 0
    below = (
        "mkdir /run/below; mount --bind /srv /run/below; ls -A /run/below/cache; umount /run/below"
    )
    assert on_machine(box, below) == "", "something was written under the empty mount point"


def test_sshd_made_unreachable_is_back_by_itself(box: lab.Lab) -> None:
    locked_out_and_back(box)
    assert clup(NAME, "verify", SITE).exit == 0


def test_jobs_while_the_power_fails(
    box: lab.Lab,
    accepted: list[str],
    tally: Callable[[str, int], None],
    fates: Callable[[str, Mapping[str, int]], None],
) -> None:
    """Each job that was accepted ends, none runs twice, nothing is left, and the chain is whole."""
    chance = random.Random(SEED)
    put_in_place(box)
    for _ in range(CUTS):
        accepted += begin_some(box)
        time.sleep(chance.uniform(0, 8))
        lab.cut(NAME)
        lab.up(NAME)
        wait_for_health(box, SETTLED_SECONDS)
        seen = settled(box, accepted, SETTLED_SECONDS)
    tally("the power of the machine failed while jobs ran", CUTS)
    fates("the power of the machine failed", seen.fates(accepted))


def test_jobs_while_the_clock_jumps(
    box: lab.Lab,
    accepted: list[str],
    tally: Callable[[str, int], None],
    fates: Callable[[str, Mapping[str, int]], None],
) -> None:
    """A day ahead and two back: each job comes to its end once, and nothing is thought too old."""
    on_machine(box, "systemctl stop chrony")
    some: list[str] = []
    try:
        for jump in JUMPS:
            some += begin_some(box)
            accepted += some[-4:]
            on_machine(box, f'date --set "{jump}"')
        seen = settled(box, accepted, SETTLED_SECONDS)
    finally:
        on_machine(box, f"date --set @{time.time():.0f}; systemctl start chrony")
    assert seen.fates(some)["finished"] == len(some)
    tally("the clock jumped while jobs ran", len(JUMPS))
    fates("the clock jumped", seen.fates(some))
